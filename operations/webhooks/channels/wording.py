"""What a person reads in a chat or a mail: plain text in Chinese or English, made of the fields of a message.

Fields come from events and so from attackers: each is one line, cut, without control characters and without signs that turn the
direction of writing. Nothing here is markup; a channel whose plain text knows markup escapes it (feishu).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import orjson

from operations.webhooks.channels.contract import Item

SHANGHAI = ZoneInfo("Asia/Shanghai")
MAX_VALUE = 200
MOST_LINKS = 5
"""In a digest, of messages with the same heading."""
TYPES: dict[str, tuple[str, str]] = {
    "alert.created": ("新告警", "New alert"),
    "alert.merged": ("告警已合并", "Alerts merged"),
    "suppression.created": ("新建抑制", "Suppression made"),
    "suppression.lifted": ("抑制已解除", "Suppression lifted"),
    "incident.created": ("新事件", "New incident"),
    "incident.decided": ("事件已定级", "Incident graded"),
    "incident.phase": ("事件阶段变更", "Incident changed phase"),
    "incident.merged": ("事件已合并", "Incidents merged"),
    "incident.due_soon": ("事件时限将至", "Incident deadline near"),
    "incident.overdue": ("事件已超时限", "Incident overdue"),
    "incident.report_issued": ("事件报告已签发", "Incident report issued"),
    "report.issued": ("运行报告已签发", "Report issued"),
    "warning.published": ("预警发布", "Warning published"),
    "warning.adjusted": ("预警级别调整", "Warning adjusted"),
    "warning.lifted": ("预警解除", "Warning lifted"),
    "warning.overdue": ("预警反馈逾期", "Warning overdue"),
    "ticket.created": ("新工单", "New ticket"),
    "ticket.changed": ("工单变更", "Ticket changed"),
    "service.applied": ("服务申请已提交", "Service applied for"),
    "service.accepted": ("服务申请已受理", "Application accepted"),
    "service.to_confirm": ("服务申请待复核", "Application to be confirmed"),
    "service.issued": ("服务已开通", "Service issued"),
    "service.rejected": ("服务申请已驳回", "Application rejected"),
    "service.withdrawn": ("服务申请已撤回", "Application withdrawn"),
    "service.revoked": ("服务已撤销", "Service revoked"),
    "service.expired": ("服务已到期", "Service expired"),
    "duty.escalated": ("值班升级", "Duty escalation"),
    "duty.acknowledged": ("值班已响应", "Duty acknowledged"),
    "duty.handover": ("值班交班", "Shift handed over"),
    "duty.accepted": ("值班接班", "Shift taken over"),
    "playbook.notice": ("剧本通知", "Playbook notice"),
    "playbook.question": ("剧本待人工处理", "Playbook asks people"),
    "playbook.trigger_limited": ("剧本触发器达到上限", "Playbook trigger at its limit"),
    "playbook.trigger_failed": ("剧本触发器启动失败", "Playbook trigger failed"),
    "audit.head": ("审计日志签名头", "Audit head"),
    "webhook.test": ("测试消息", "Test message"),
}
LEVELS: dict[str, tuple[str, str]] = {
    "informational": ("提示", "info"), "low": ("低危", "low"), "medium": ("中危", "medium"), "high": ("高危", "high"),
    "critical": ("严重", "critical"), "blue": ("蓝色", "blue"), "yellow": ("黄色", "yellow"), "orange": ("橙色", "orange"),
    "red": ("红色", "red"),
}  # fmt: skip
FACTS: tuple[tuple[str, str, str], ...] = (
    ("number", "编号", "Number"),
    ("host", "主机", "Host"),
    ("user", "用户", "User"),
    ("source_ip", "源地址", "Source"),
    ("destination_ip", "目的地址", "Destination"),
    ("count", "次数", "Count"),
    ("phase", "阶段", "Phase"),
    ("state", "状态", "State"),
    ("organisation", "单位", "Organisation"),
    ("organisations", "单位", "Organisations"),
    ("zones", "区域", "Zones"),
    ("from_name", "由", "From"),
    ("to_name", "转至", "To"),
    ("reason", "原因", "Reason"),
    ("text", "内容", "Text"),
    ("due", "时限", "Due"),
    ("due_at", "时限", "Due"),
    ("first_seen", "首次", "First seen"),
)
_TITLES = ("title", "rule_name", "subject", "name", "message", "kind")
QUESTION = "playbook.question"
_LINK = re.compile(r"https?://[!-~]{1,1500}")
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


class Note(msgspec.Struct, frozen=True):
    """A message for people: a heading, facts as label and value, and where to answer ("" = nothing is asked)."""

    heading: str
    facts: list[tuple[str, str]]
    time: str
    link: str = ""


def note(item: Item, language: str) -> Note:
    """The message in ``language`` (zh, en)."""
    message = orjson.loads(item.body)
    data: Mapping[str, Any] = message["data"]
    place = 0 if language == "zh" else 1
    level = str(data.get("severity") or data.get("level") or "")
    mark = f"[{LEVELS[level][place]}] " if level in LEVELS else ""
    drill = ("[演练] ", "[drill] ")[place] if data.get("drill") is True else ""
    kind = TYPES.get(item.event_type, (item.event_type, item.event_type))[place]
    said = said_in(data, language)
    title = plain(said.get("title", "")) or next((plain(data[name]) for name in _TITLES if data.get(name)), "")
    heading = f"{drill}{mark}{kind}" + (("：" if place == 0 else ": ") + title if title else "")
    time = local(str(message["timestamp"]))
    if item.event_type == QUESTION:
        return Note(heading, _question_facts(data, said, place), time, field(QUESTION, "link", data.get("link")))
    return Note(heading, [(labels[place], plain(data[name])) for name, *labels in FACTS if data.get(name)], time)


def said_in(data: Mapping[str, Any], language: str) -> Mapping[str, str]:
    """What a message says of itself in this language (playbooks.run.announcing); nothing where it does not."""
    words = data.get("words")
    said = words.get(language) if isinstance(words, dict) else None
    return said if isinstance(said, dict) else {}


def _question_facts(data: Mapping[str, Any], said: Mapping[str, str], place: int) -> list[tuple[str, str]]:
    """What is asked, how many have to agree, and until when."""
    wanted = data.get("number", 1)
    facts = [
        (("内容", "What"), plain(said.get("text") or data.get("line") or "")),
        (("须同意人数", "People who have to agree"), str(wanted) if data.get("kind") == "approval" else ""),
        (("截止", "Until"), plain(data.get("expires_at") or "")),
    ]
    return [(labels[place], value) for labels, value in facts if value]


def field(event_type: str, name: str, value: Any) -> str:
    """A field of a message as one line. The link of a question is the platform's own and stays whole; one that is only a path
    leads nowhere out of a chat."""
    if event_type == QUESTION and name == "link":
        return value if isinstance(value, str) and _LINK.fullmatch(value) else ""
    return "" if value is None else plain(value)


def text_of(one: Note, language: str) -> str:
    """One note as lines."""
    stop = "：" if language == "zh" else ": "
    lines = [one.heading, *(f"{label}{stop}{value}" for label, value in one.facts)]
    lines += [f"{'答复' if language == 'zh' else 'Answer'}{stop}{one.link}"] if one.link else []
    return "\n".join([*lines, (f"时间：{one.time}" if language == "zh" else f"Time: {one.time}")])


def digest(notes: Sequence[Note], language: str) -> str:
    """Several notes as one text; equal headings are counted, with what tells them apart."""
    groups: dict[str, list[Note]] = {}
    for one in notes:
        groups.setdefault(one.heading, []).append(one)
    many = len(notes)
    lines = [f"莲盾：合并 {many} 条通知" if language == "zh" else f"Liandun: {many} notifications in one"]
    for number, (heading, members) in enumerate(groups.items(), 1):
        where = list(dict.fromkeys(value for member in members for _, value in member.facts[:2]))[:4]
        times = f" ×{len(members)}" if len(members) > 1 else ""
        lines.append(f"{number}. {heading}{times}" + (f" ({', '.join(where)})" if where else ""))
        lines += [member.link for member in members[:MOST_LINKS] if member.link]
    ends = (notes[0].time, notes[-1].time)
    lines.append(f"时间：{ends[0]} 至 {ends[1]}" if language == "zh" else f"Time: {ends[0]} to {ends[1]}")
    return "\n".join(lines)


def plain(value: Any) -> str:
    """A field as one line of at most MAX_VALUE characters."""
    if isinstance(value, list | tuple):
        value = ", ".join(str(one) for one in value[:10])
    text = " ".join(str(value).split())
    text = "".join(sign for sign in text if unicodedata.category(sign) not in _HIDDEN)
    if len(text) == 27 and text[10:11] == "T" and text.endswith("Z"):
        return local(text)
    return text if len(text) <= MAX_VALUE else text[: MAX_VALUE - 1] + "…"


def local(stamp: str) -> str:
    """@timestamp text in the time of the city, to the second; other text as it is."""
    try:
        return datetime.fromisoformat(stamp).astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError):
        return stamp
