"""What can be applied for, and the form of each service. The periods are proposals; terms.py holds what was decided."""

from __future__ import annotations

import msgspec

from kernel.zones.services import SERVICES as NETWORK_SERVICES


class Field(msgspec.Struct, frozen=True):
    """One field of a form.

    kind     line (one line), text (several), zone (id of the plan), lines (list, one a line), number, choice, pem
    most     longest text, largest number, or most entries of a list
    own      zone: one of the applicant's own
    choices  of a choice; of lines: entries that are offered, others are allowed
    """

    name: str
    kind: str
    zh: str
    en: str
    needed: bool = True
    most: int = 200
    least: int = 1
    own: bool = False
    choices: tuple[str, ...] = ()


class Service(msgspec.Struct, frozen=True):
    """``accept_hours`` and ``issue_hours``: usual periods, until terms say otherwise; ``days``: how long a grant lasts at most."""

    id: str
    zh: str
    en: str
    about_zh: str
    about_en: str
    symbol: str
    fields: tuple[Field, ...]
    accept_hours: int = 8
    issue_hours: int = 24
    days: int = 365


_REASON = Field("reason", "text", "用途与依据", "Purpose and grounds", most=2000)
_ZONE = Field("zone", "zone", "分区", "Zone", own=True)
_DAYS = Field("days", "number", "有效天数", "Days of validity", most=365)

CATALOGUE: tuple[Service, ...] = (
    Service(
        "log-onboarding",
        "日志接入",
        "Log onboarding",
        "把设备或系统的日志接入平台：发往哪个地址和端口、以何种格式、来自哪些地址",
        "Bring the logs of devices or systems in: where to send them, in which format, from which addresses",
        "database-import",
        (
            _ZONE,
            Field("product", "line", "设备或系统", "Device or system"),
            Field("format", "choice", "格式", "Format", choices=("rfc5424", "rfc3164", "cef", "json", "other")),
            Field("transport", "choice", "传输", "Transport", choices=("tcp", "udp", "link")),
            Field("addresses", "lines", "来源地址，每行一个", "Sending addresses, one a line", most=64),
            Field("per_day", "number", "预计每日事件数", "Expected events a day", most=10**10),
            _REASON,
        ),
        accept_hours=8,
        issue_hours=48,
    ),
    Service(
        "cross-zone-permit",
        "跨区访问许可",
        "Cross-zone permit",
        "在期限内允许两个分区之间的流量；危险的许可须由第二人确认",
        "Permits traffic between two zones for a time; a dangerous one needs a second person",
        "plug-connected",
        (
            Field("source", "zone", "源分区", "From zone"),
            Field("target", "zone", "目的分区", "To zone"),
            Field(
                "services",
                "lines",
                "服务，每行一个",
                "Services, one a line",
                most=16,
                choices=tuple(sorted(NETWORK_SERVICES)),
            ),
            Field("days", "number", "有效天数", "Days of validity", most=180),
            _REASON,
        ),
        accept_hours=4,
        issue_hours=24,
        days=180,
    ),
    Service(
        "certificate",
        "证书",
        "Certificate",
        "为设备或系统签发国密 SM2 证书；密钥留在申请方，只提交证书请求",
        "An SM2 certificate for a device or system; the key stays with the applicant, only the request is sent",
        "id-badge-2",
        (
            _ZONE,
            Field("profile", "choice", "用途", "Use", choices=("client", "server", "signing")),
            Field("request", "pem", "证书请求（PEM）", "Certificate request (PEM)", most=8192),
            _DAYS,
            _REASON,
        ),
        accept_hours=8,
        issue_hours=24,
    ),
    Service(
        "account",
        "平台账号",
        "Account",
        "为委办局人员开通平台账号；账号由系统管理员建立、角色由安全管理员授予后才算办结",
        "An account for somebody of the bureau; the system administrator makes it, the security administrator grants its role",
        "user",
        (
            Field("login", "line", "用户名", "User name", most=64),
            Field("person", "line", "姓名与职务", "Name and position", most=128),
            _REASON,
        ),
        accept_hours=8,
        issue_hours=24,
    ),
    Service(
        "scan",
        "漏洞扫描",
        "Scan",
        "对本单位资产做一次漏洞扫描；受理后生成一张工单，写明目标与时间窗口",
        "One vulnerability scan of the bureau's assets; issuing makes a ticket with targets and time window",
        "target-arrow",
        (
            _ZONE,
            Field("targets", "lines", "目标地址或网段，每行一个", "Targets, one a line", most=64),
            Field("window", "line", "时间窗口", "Time window", most=128),
            _REASON,
        ),
        accept_hours=8,
        issue_hours=72,
        days=30,
    ),
    Service(
        "quota",
        "存储配额",
        "Storage quota",
        "每月事件存储配额；与计量数据对照显示",
        "Event storage a month; shown against what is metered",
        "stack-2",
        (Field("gigabytes", "number", "每月 GB", "GB a month", most=1_000_000), _DAYS, _REASON),
        accept_hours=8,
        issue_hours=48,
    ),
)

BY_ID: dict[str, Service] = {service.id: service for service in CATALOGUE}
