"""The words of the yearly summary in both languages; files that leave the platform do not go through the console's catalogue."""

from __future__ import annotations

from operations.services.catalogue import BY_ID

_WORDS: dict[str, tuple[str, str]] = {
    "title": ("安全服务年度总结", "Yearly summary of security services"),
    "services": ("服务办理情况", "Services"),
    "usage": ("用量", "Usage"),
    "tickets": ("工单", "Tickets"),
    "service": ("服务", "Service"),
    "applied": ("申请", "Applied"),
    "issued": ("办结", "Issued"),
    "rejected": ("驳回", "Rejected"),
    "waiting": ("在办", "Waiting"),
    "overdue": ("超期未办", "Overdue"),
    "late": ("超期办理", "Late"),
    "accept_hours": ("平均受理小时", "Mean hours to accept"),
    "issue_hours": ("平均办结小时", "Mean hours to issue"),
    "month": ("月份", "Month"),
    "events": ("事件数", "Events"),
    "gigabytes": ("存储 GB", "Stored GB"),
    "permits": ("有效许可（最多）", "Permits in force (most)"),
    "certificates": ("签发证书", "Certificates issued"),
    "searches": ("检索次数", "Searches"),
    "received": ("收到工单", "Tickets received"),
    "done": ("已办结", "Done"),
    "tickets_overdue": ("超过期限", "Past their date"),
    "quota": ("每月存储配额 GB", "Storage quota, GB a month"),
    "total": ("合计", "Total"),
    "note": (
        "事件按分区归属计量，跨单位的事件双方均计入；存储量为事件数乘以平均存储大小。"
        "时限按每天 24 小时计，其数值见服务目录，部分数值尚待确认。",
        "Events are metered by the zones they concern, those between two organisations for both; stored size is their number times "
        "the mean stored size. Periods count 24 hours a day and stand in the catalogue; some are still to be confirmed.",
    ),
}


def word(key: str, language: str) -> str:
    """In ``zh`` or ``en``."""
    return _WORDS[key][0 if language == "zh" else 1]


def service_word(service: str, language: str) -> str:
    """The name of a service."""
    found = BY_ID[service]
    return found.zh if language == "zh" else found.en
