"""Warnings in every state for pages: drafted, submitted, approved, published and partly signed, overdue, adjusted, lifted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from operations import clock
from operations.accounts import service as accounts
from operations.accounts.schema import Principal, Reach
from operations.audit.schema import SYSTEM
from operations.reach import ORGANISATIONS_KEY, SESSION_KEY
from operations.warnings import service
from operations.warnings.overdue import remind_overdue
from operations.warnings.schema import Adjustment, Draft, WarningRecord
from soc_ui.services import Services

PEOPLE: dict[str, tuple[str, Reach]] = {
    "zhou.ban": ("duty", Reach()),
    "he.ling": ("leader", Reach()),
    "shui.wu": ("bureau", Reach(("水务局",))),
}
"""Name → role and scope; they have the password of tests.soc_ui.seed."""

ANALYST, DUTY, LEADER = (
    Principal(1, name, "", role) for name, role in (("lin.mei", "analyst"), ("zhou.ban", "duty"), ("he.ling", "leader"))
)
BUREAU = Principal(1, "shui.wu", "", "bureau", zones=frozenset({"water-ot"}), organisations=frozenset({"水务局"}))
ORANGE = Draft(
    title="勒索软件在多个区域横向移动",
    importance="special",
    harm="severe",
    nature="恶意程序事件：勒索软件",
    threat="利用 SMB 弱口令横向移动，加密共享目录；已在两个区域发现相同样本。",
    extent="水务工业控制网、交通感知网",
    objects="Windows 服务器、工控上位机",
    effect="业务中断，数据不可用",
    measures="1. 关闭 445 端口\n2. 核查备份并离线保存\n3. 24 小时内反馈排查结果",
    organisations=("交通局", "财政局"),
    zones=("water-ot",),
)


def fill_warnings(services: Services, password: str) -> dict[str, int]:
    """Makes the people and the warnings; returns ids by state."""
    for name, (role, reach) in PEOPLE.items():
        accounts.create_user(services.database, SYSTEM, name, password, role, reach=reach)
    ids = {
        "overdue": _made(services, ORANGE, 3, hours=5).id,
        "adjusted": _made(services, _like("某政务系统存在高危漏洞，已出现在野利用", "important", "large"), 3, hours=3).id,
        "lifted": _made(services, _like("区县门户遭受拒绝服务攻击", "important", "severe"), 3, hours=30).id,
        "approved": _made(services, _like("视频监控设备弱口令被批量利用", "special", "extreme"), 2, hours=1).id,
        "submitted": _made(services, _like("钓鱼邮件冒充财政通知", "general", "extreme"), 1, hours=1).id,
        "draft": _made(services, _like("挖矿程序外联", "general", "general"), 0, hours=1).id,
    }
    with services.database.write() as session:
        service.adjust(session, DUTY, ids["adjusted"], Adjustment("important", "severe", "出现利用代码"), expected_version=None)
        service.lift(session, DUTY, ids["lifted"], expected_version=None, note="流量清洗后恢复，攻击停止")
    limits = {SESSION_KEY: BUREAU.zones, ORGANISATIONS_KEY: BUREAU.organisations}
    with services.database.carrying(limits).write() as session:
        service.receive(session, BUREAU, ids["overdue"], "水务局", edition=1, comment="已转运维单位")
    remind_overdue(services.database)
    return ids


def _like(title: str, importance: str, harm: str) -> Draft:
    texts = dict.fromkeys(("nature", "threat", "extent", "objects", "effect", "measures"), "如题")
    return Draft(title=title, importance=importance, harm=harm, **texts, organisations=("大数据局",), zones=("water-ot",))


def _made(services: Services, draft: Draft, steps: int, *, hours: float) -> WarningRecord:
    """Drafted, and submitted, approved, published (3 steps) at a moment ``hours`` ago."""
    with _ago(hours), services.database.write() as session:
        made = service.create(session, ANALYST, draft)
        if steps > 0:
            made = service.submit(session, ANALYST, made.id, expected_version=made.version, note="请审批")
        if steps > 1:
            made = service.approve(session, LEADER, made.id, expected_version=made.version)
        if steps > 2:
            made = service.publish(session, DUTY, made.id, expected_version=made.version)
    return made


@contextmanager
def _ago(hours: float) -> Iterator[None]:
    """What is done inside is done ``hours`` ago."""
    real = clock.now
    moment = clock.shift(real(), -3600 * hours)
    clock.now = lambda: moment
    try:
        yield
    finally:
        clock.now = real
