"""What lies on the desk of the demo city when it opens: two tickets, a permit that waits, a quota that was granted.

They go through the real services, as people of the city would have made them. No account is made: the first person who sets the
platform up decides about those, and fills the roster.
"""

from __future__ import annotations

from demo.estate import HEALTH, WATER
from kernel.db import Database
from operations import clock
from operations.accounts.schema import Principal
from operations.organisations import owners
from operations.reach import SESSION_KEY
from operations.services import service as services
from operations.tickets import service as tickets
from operations.tickets.schema import Draft, Link

_DAY = 86_400
OFFICER = Principal(0, "lanting-duty", "兰亭市安全运营中心", "duty")


def lay_out(database: Database) -> None:
    """Once, where the zone plan of the demo has just been taken in."""
    with database.read() as session:
        owned = owners(session)
    water, health = (Principal(0, f"lanting-{name}", bureau, "bureau", zones=owned[bureau]) for name, bureau in
                     (("water", WATER), ("health", HEALTH)))  # fmt: skip
    with database.write() as session:
        tickets.create(
            session,
            OFFICER,
            Draft(
                "remediation",
                "停用已到期的水务远程维护通道 / Stop using the expired maintenance conduit",
                "通道 water-maintenance 已到期，仍有远程桌面连接经由它进入控制网。请停用；确需维护的，申请跨区访问许可。",
                "high",
                WATER,
                due_at=clock.shift(clock.now(), 2 * _DAY),
                zones=("water-ot",),
                links=(Link("conduit", "water-maintenance"),),
            ),
        )
        notice = "收到后请签收。各单位保持值守电话畅通，发现告警及时报市安全运营中心。"
        tickets.create(session, OFFICER, Draft("notification", "关于加强值守的通报 / Stay on watch", notice, "medium", HEALTH))
    permit = {
        "source": "hea-private",
        "target": "data-platform",
        "services": ["https"],
        "days": 90,
        "reason": "健康档案数据共享联调",
    }
    with database.carrying({SESSION_KEY: health.zones}).write() as session:
        services.apply(session, health, "cross-zone-permit", permit)
    with database.carrying({SESSION_KEY: water.zones}).write() as session:
        quota = services.apply(session, water, "quota", {"gigabytes": 200, "days": 365, "reason": "日志留存 180 天"})
    for act in ("accept", "issue"):
        with database.write() as session:
            services.act(session, OFFICER, quota.id, act)
