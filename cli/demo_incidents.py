"""Incidents of the demo city, made through the services as people would: a drill, a call to the hotline, a brute force from alerts.

The scheduler calls this while the platform runs with the demo. The brute force waits until the city has been attacked that way; its
class and level are left for whoever looks at the demo to decide.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from kernel.db import Database
from operations import clock
from operations.alerts import service as alerts
from operations.alerts.schema import AlertFilter
from operations.audit.schema import Actor
from operations.incidents import service
from operations.incidents.schema import Decision, IncidentFilter, NewIncident, TaskChange
from operations.zones import service as zones

DEMO = Actor("demo")
BRUTE_FORCE = ("attack.t1110", "attack.t1110.001", "attack.t1110.003", "attack.t1110.004")
MOST_ALERTS = 20


class DemoIncidents:
    """Makes each of them once; does nothing where people have made incidents of their own first."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._done = False

    def __call__(self) -> None:
        if self._done:
            return
        with self._database.write() as session:
            made = service.list_incidents(session, IncidentFilter(), limit=10).incidents
            if not made:
                _drill(session)
                _hotline(session)
                return
            if len(made) != 2 or any(row.created_by != DEMO.name for row in made):
                self._done = True
                return
            self._done = _brute_force(session)


def _drill(session: Session) -> None:
    wanted = NewIncident(
        "年度勒索软件应急演练（桌面推演）",
        description="按年度计划组织。情景：办公终端感染勒索软件并横向移动至数据平台。",
        origin="drill",
        drill=True,
        severity="medium",
        zones=_known(session, "data-platform", "egov-extranet"),
        detected_at=clock.shift(clock.now(), -3 * 86_400),
    )
    row = service.create_incident(session, DEMO, wanted)
    service.decide(session, DEMO, row.id, Decision("0107", "important", "serious", "slight", ""))
    service.write(session, DEMO, row.id, "decision", "情景中不支付赎金，启用离线备份。")
    service.move(session, DEMO, row.id, "review")
    service.add_action(session, DEMO, row.id, "备份系统每季度做一次恢复验证", owner="数据资源局")
    service.move(session, DEMO, row.id, "closed", reason="演练目标达到", cause="exercise", may_close=True)


def _hotline(session: Session) -> None:
    wanted = NewIncident(
        "市民服务门户间歇性无法登录",
        description="市民热线连续接到 12 个来电，称登录页面超时。",
        origin="hotline",
        reporter="市民服务热线 值班座席",
        severity="medium",
        zones=_known(session, "citizen-dmz"),
        detected_at=clock.shift(clock.now(), -2400),
    )
    row = service.create_incident(session, DEMO, wanted)
    service.decide(session, DEMO, row.id, Decision("0208", "important", "considerable", "slight", ""))
    service.add_asset(session, DEMO, row.id, "service", "市民服务门户", layer="citizen", impact="登录成功率下降约四成")
    for task in service.list_tasks(session, row.id)[:2]:
        service.change_task(session, DEMO, row.id, task.id, TaskChange(status="done", result="已核实"))
    service.move(session, DEMO, row.id, "containment")
    service.write(session, DEMO, row.id, "note", "已联系运营商，等待流量清洗结果。")


def _brute_force(session: Session) -> bool:
    """True once the city was attacked that way and the incident stands."""
    where = AlertFilter(tag=BRUTE_FORCE, status=("new", "acknowledged", "in_progress"))
    found = alerts.matching_ids(session, where, MOST_ALERTS)
    if not found:
        return False
    wanted = NewIncident("疑似口令暴力破解", origin="alert", severity="medium", alert_ids=tuple(found))
    service.create_incident(session, DEMO, wanted)
    return True


def _known(session: Session, *names: str) -> tuple[str, ...]:
    plan = {record.zone.id for record in zones.list_zones(session)}
    return tuple(name for name in names if name in plan)
