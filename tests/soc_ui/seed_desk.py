"""People of the operator and of two bureaus, with tickets and applications between them, for pages, API and browser."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from kernel.db import Database
from operations import clock
from operations.accounts import reach
from operations.accounts import service as accounts
from operations.accounts.models import User
from operations.accounts.schema import Principal, Reach
from operations.audit.schema import SYSTEM
from operations.duty import escalation, handover, log, roster
from operations.duty.schema import Wish
from operations.duty.shifts import today
from operations.reach import SESSION_KEY
from operations.services import service as desk
from operations.tickets import service as tickets
from operations.tickets.schema import Act, Draft, Link
from soc_ui.services import Services
from tests.soc_ui.seed import PASSWORD

WATER, TRAFFIC = "水务局", "交通局"
PEOPLE = {
    "zhao.zhiban": ("duty", "赵值班", ""),
    "sun.zhiban": ("duty", "孙值班", ""),
    "chu.zhi": ("responder", "楚治", ""),
    "shui.wu": ("bureau", "水吾", WATER),
    "shui.er": ("bureau", "水贰", WATER),
    "jiao.tong": ("bureau", "焦桐", TRAFFIC),
    "ling.dao": ("leader", "凌导", ""),
}
PERMIT = {
    "source": "water-ot", "target": "data-platform", "services": "modbus", "days": 30,
    "reason": "汛期向城市数据平台上送水位数据（防汛指挥部 2026-18 号）",
}  # fmt: skip


def as_(services: Services, name: str) -> tuple[Principal, Database]:
    """The principal of an account, and the database as that person sees it."""
    with services.database.read() as session:
        user = session.execute(select(User).where(User.name == name)).scalar_one()
        seen = reach.zones_of(session, user)
        who = Principal(user.id, user.name, user.display_name, user.role, address="10.20.0.30", zones=seen)
    return who, services.database if seen is None else services.database.carrying({SESSION_KEY: seen})


def people(services: Services) -> None:
    """The accounts of PEOPLE."""
    for name, (role, shown, organisation) in PEOPLE.items():
        scope = Reach(organisations=(organisation,)) if organisation else Reach()
        accounts.create_user(services.database, SYSTEM, name, PASSWORD, role, display_name=shown, reach=scope)


def fill_duty(services: Services) -> None:
    """A roster from the shift before the present one to the one after, a hand-over note and a line of the log."""
    duty, whole = as_(services, "zhao.zhiban")
    now = clock.now()
    with whole.write() as session:
        shifts = roster.list_shifts(session)[0]
        day = today(now)
        wishes = [
            Wish((day + timedelta(days=offset)).isoformat(), shift.id, rank, name)
            for offset in range(-1, 4)
            for shift, names in zip(shifts, (("zhao.zhiban", "chu.zhi"), ("sun.zhiban",)), strict=True)
            for rank, name in enumerate(names, 1)
        ]
        roster.plan(session, duty, wishes)
        log.write(session, duty, "check", "机房巡检正常；=1+1 不是公式。")
    with whole.write() as session:
        present = roster.on_duty(session).now[0].name
        handover.write(session, as_(services, present)[0], "水务局整改工单待复核；关注 10.60.0.20。", expected_version=0)
        escalation.escalate(session, as_(services, present)[0], "ticket", "1", "委办局未按期签收")


def fill_desk(services: Services) -> None:
    """People, three tickets and two applications. The plan of seed_zones has to be there."""
    people(services)
    duty, whole = as_(services, "zhao.zhiban")
    water, own = as_(services, "shui.wu")
    with whole.write() as session:
        first = tickets.create(
            session, duty,
            Draft("remediation", "关闭水务控制网工程师站的远程桌面",
                  "发现来自政务外网的 3389 端口连接，请关闭并说明原因。", "high", WATER,
                  due_at=clock.shift(clock.now(), 86_400), zones=("water-ot",), links=(Link("zone", "water-ot"),)),
        )  # fmt: skip
        tickets.create(
            session, duty, Draft("notification", "关于加强汛期网络安全值守的通报", "请各单位加强值守。", "medium", WATER)
        )
        tickets.create(session, duty, Draft("remediation", "路口信号机弱口令整改", "清单见附件。", "critical", TRAFFIC))
    with own.write() as session:
        tickets.act(session, water, first.id, Act("receipt"))
        tickets.add_attachment(session, water, first.id, "netstat.txt", "TCP 10.60.0.20:3389 ESTABLISHED\n")
        desk.apply(session, water, "cross-zone-permit", PERMIT)
        desk.apply(session, water, "quota", {"gigabytes": 200, "days": 365, "reason": "日志留存 180 天"})
