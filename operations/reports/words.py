"""The words of a report, Chinese and English. Data, so that a report is made without the console."""

from __future__ import annotations

from operations.services.summary_words import service_word

_WORDS: dict[str, tuple[str, str]] = {
    "daily": ("安全运营日报", "Daily security operations report"),
    "weekly": ("安全运营周报", "Weekly security operations report"),
    "monthly": ("安全运营月报", "Monthly security operations report"),
    "city": ("全市", "The city"),
    "demand": ("手动生成", "on demand"),
    "schedule": ("定时生成", "by schedule"),
    "overview": ("概览", "Overview"),
    "figure": ("指标", "Figure"),
    "now": ("本期", "This period"),
    "before": ("上期", "Period before"),
    "change": ("变化", "Change"),
    "alerts": ("告警", "Alerts"),
    "critical": ("严重", "Critical"),
    "high": ("高", "High"),
    "medium": ("中", "Medium"),
    "low": ("低", "Low"),
    "informational": ("信息", "Informational"),
    "violations": ("越界告警（分区边界）", "Boundary violations"),
    "warnings": ("预警", "Warnings"),
    "red": ("红色预警", "Red warnings"),
    "orange": ("橙色预警", "Orange warnings"),
    "yellow": ("黄色预警", "Yellow warnings"),
    "blue": ("蓝色预警", "Blue warnings"),
    "asked": ("应签收", "Receipts asked for"),
    "received": ("已签收", "Signed for"),
    "late": ("逾期签收", "Signed for too late"),
    "receipts_overdue": ("逾期未签收", "Not signed for, overdue"),
    "answered": ("已反馈", "Feedback given"),
    "incidents": ("事件", "Incidents"),
    "level1": ("特别重大事件", "Incidents of level I"),
    "level2": ("重大事件", "Incidents of level II"),
    "level3": ("较大事件", "Incidents of level III"),
    "level4": ("一般事件", "Incidents of level IV"),
    "open": ("尚未关闭", "Still open"),
    "met": ("时限内完成（时钟数）", "Deadlines met"),
    "missed": ("超时（时钟数）", "Deadlines missed"),
    "running": ("计时中（时钟数）", "Deadlines running"),
    "drills": ("演练", "Drills"),
    "detect": ("平均发现时间 MTTD（小时）", "MTTD, hours"),
    "acknowledge": ("平均确认时间 MTTA（小时）", "MTTA, hours"),
    "contain": ("平均遏制时间 MTTC（小时）", "MTTC, hours"),
    "resolve": ("平均解决时间 MTTR（小时）", "MTTR, hours"),
    "tickets": ("工单", "Tickets"),
    "made": ("新建工单", "Tickets made"),
    "done": ("已办结", "Done"),
    "tickets_overdue": ("超期", "Over their time"),
    "applications": ("服务申请", "Applications"),
    "service": ("服务", "Service"),
    "applied": ("申请", "Applied"),
    "issued": ("签发", "Issued"),
    "rejected": ("驳回", "Rejected"),
    "waiting": ("待办", "Waiting"),
    "overdue": ("超期", "Overdue"),
    "ingest": ("接入量与数据源", "Ingest and sources"),
    "events": ("日志事件", "Events"),
    "source": ("数据集", "Data set"),
    "state": ("状态", "State"),
    "silent": ("中断", "silent"),
    "active": ("正常", "active"),
    "rules": ("规则排行", "Top rules"),
    "rule": ("规则", "Rule"),
    "zones": ("分区排行", "Top zones"),
    "zone": ("分区", "Zone"),
    "count": ("告警数", "Alerts"),
    "none": ("本期没有。", "None in this period."),
    "sampled": ("规则与分区排行所查看的最近告警数", "Newest alerts looked at for rules and zones"),
    "examined": ("时限统计所查看的事件数", "Incidents whose deadlines were looked at"),
    "note": (
        "告警按最近一次命中时间计入本期；事件按发现时间；工单与申请按提交时间。时间为北京时间（UTC+8）。",
        "Alerts count by when they were last seen, incidents by discovery, tickets and applications by when they were made. "
        "Times are those of Beijing (UTC+8).",
    ),
}


class Words:
    """The words in one language; an unknown one stands for itself."""

    def __init__(self, language: str) -> None:
        self.language = language

    def __call__(self, key: str) -> str:
        found = _WORDS.get(key)
        return found[0 if self.language == "zh" else 1] if found else key

    def service(self, service: str) -> str:
        return service_word(service, self.language)
