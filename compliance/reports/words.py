"""The words of reports, Chinese and English. Data, so that a report is made without the console."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from compliance.assessment.standing import StandingItem
from compliance.reports.crypto_words import CRYPTO_WORDS
from compliance.reports.paper_words import PAPER_WORDS
from kernel.event import SHANGHAI
from operations import clock
from operations.errors import Invalid

LANGUAGES: tuple[str, ...] = ("zh", "en")

_WORDS: Mapping[str, tuple[str, str]] = {
    "met": ("符合", "met"),
    "partly": ("部分符合", "partly met"),
    "not_met": ("不符合", "not met"),
    "not_applicable": ("不适用", "not applicable"),
    "none": ("未测评", "not assessed yet"),
    "whole": ("系统整体", "the system as a whole"),
    "evidence": ("证据", "Evidence"),
    "high": ("高", "high"),
    "medium": ("中", "medium"),
    "low": ("低", "low"),
    "not_graded": ("未定级", "not graded"),
    "level_critical": ("可能构成重大风险隐患", "may be a major risk hazard (重大风险隐患)"),
    "level_high": ("可能构成高风险", "may be a high risk"),
    "level_medium": ("一般问题", "ordinary problem"),
    "probe": ("探针", "probe"),
    "person": ("人工", "person"),
    "self_assessment": ("自查", "Self-assessment"),
    "checklist": ("检查表", "Check-list"),
    "checklist_how": (
        "填写黄色三列：判定、依据、证据编号；其余列请勿改动。判定：符合、部分符合、不符合、不适用。导入前平台会逐行比对。",
        "Fill in the three yellow columns: verdict, reason, evidence; leave the others alone. Rows are compared before import.",
    ),
    "oscal_ssp": ("系统安全计划", "System security plan"),
    "oscal_ap": ("测评计划", "Assessment plan"),
    "oscal_ar": ("测评结果", "Assessment results"),
    "oscal_poam": ("整改计划", "Plan of action and milestones"),
    "result_told": (
        "由平台记录的判定汇总而成，不代表测评机构的结论。",
        "From verdicts recorded in the platform; not the opinion of an assessment body.",
    ),
    "risk_told": ("按 2025 年高风险判定指引的线索：", "By the high-risk guide of 2025: "),
    "mend": ("整改", "Remediation"),
    "information_unsaid": ("平台未记录业务信息类别。", "The platform holds no types of information."),
    "boundary": ("系统所在分区：", "The zones of the system: "),
    "implementation": ("按测评对象说明各项要求的落实情况。", "How far each requirement is met on each object."),
    "task_probes": ("用探针读取主机、设备、数据库与平台数据", "Read hosts, devices, databases and the platform's data by probes"),
    "task_documents": ("核查制度与记录文档", "Examine policies and records"),
    "task_interview": ("访谈安全相关人员并现场核查", "Interview people and look on site"),
    "task_whole": ("整体测评：由人决定其他措施能否弥补", "Whole-system assessment: people decide what makes up for what"),
    "task_risk": ("风险分析：由人定级", "Risk analysis: people grade what is left"),
}  # fmt: skip


class Words:
    """Texts in one language."""

    def __init__(self, language: str) -> None:
        """Raises Invalid for a language that is not one of LANGUAGES."""
        if language not in LANGUAGES:
            raise Invalid(f"there is no language {language[:8]!r}", "zh or en", field="language")
        self.language, self.zh = language, language == "zh"

    def __call__(self, key: str) -> str:
        """The text of a key; itself where there is none."""
        found = _WORDS.get(key) or PAPER_WORDS.get(key) or CRYPTO_WORDS.get(key)
        return key if found is None else found[0 if self.zh else 1]

    def listed(self, texts: Iterable[str]) -> str:
        """One after the other; "" for none."""
        return ("、" if self.zh else ", ").join(texts)

    def of(self, one: StandingItem) -> str:
        """What an item asks."""
        return one.zh if self.zh else one.en

    def day(self, moment: str) -> str:
        """The day in Asia/Shanghai; "—" for ""."""
        return f"{_local(moment):%Y-%m-%d}" if moment else "—"

    def time(self, moment: str) -> str:
        """As the city's clocks show it."""
        return f"{_local(moment):%Y-%m-%d %H:%M} (UTC+8)" if moment else "—"


def _local(moment: str) -> datetime:
    return clock.moment(moment).astimezone(SHANGHAI)
