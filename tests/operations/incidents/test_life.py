"""From alerts to the closing: what an incident takes from its alerts, who decides what, the phases, merging."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from kernel.db import Database
from operations.audit.models import AuditEntry
from operations.errors import Conflict, Invalid, NotFound, Stale
from operations.incidents import service
from operations.incidents.phases import OPEN
from operations.incidents.schema import Change, Decision, IncidentFilter, IncidentRow, NewIncident, TaskChange
from tests.operations.incidents.conftest import ALICE, Clock

Run = Callable[..., Any]
DECISION = Decision("0206", "important", "considerable", "slight", "")


@pytest.fixture
def made(act: Run, attack: list[int]) -> IncidentRow:
    """An incident of the two alerts of the brute force."""
    found = act(service.create_incident, ALICE, NewIncident("门户遭暴力破解", origin="alert", alert_ids=tuple(attack[:2])))
    assert isinstance(found, IncidentRow)
    return found


def test_what_an_incident_takes_from_its_alerts(made: IncidentRow, look: Run) -> None:
    assert (made.number, made.phase, made.severity) == ("SJ-2026-0001", "detection", "critical")
    assert (made.zones, made.organisations) == (["gov-cloud"], ["大数据局"])
    assert (made.occurred_at, made.detected_at) == ("2026-11-26T03:00:00.000000Z", "2026-11-26T04:00:00.000000Z")
    assert (made.suggested_class, made.level, made.class_code) == ("0206", 0, "")
    detail = look(service.get_detail, made.id)
    assert detail.suggestion.object == "important"  # the portal and its zone have importance 4
    assert [(one.kind, one.value) for one in look(service.list_indicators, made.id)] == [("ip", "203.0.113.9")]
    assert [one.name for one in look(service.list_assets, made.id)[0]] == ["srv-web-02"]
    assert [one.id for one in look(service.alerts_of, made.id)] == [2, 1]
    kinds = [(one.kind, one.act) for one in look(service.entries, made.id)]
    assert kinds == [("act", "created"), ("alert", ""), ("alert", "")]


def test_an_alert_is_in_one_incident(made: IncidentRow, act: Run, look: Run, attack: list[int]) -> None:
    with pytest.raises(Conflict, match="another incident"):
        act(service.create_incident, ALICE, NewIncident("x", alert_ids=(attack[0],)))
    assert look(service.incident_of_alert, attack[0]).id == made.id
    assert look(service.incident_of_alert, attack[2]) is None
    act(service.remove_alert, ALICE, made.id, attack[0])
    assert look(service.incident_of_alert, attack[0]) is None
    with pytest.raises(NotFound):
        act(service.remove_alert, ALICE, made.id, attack[0])
    more = act(service.add_alerts, ALICE, made.id, [attack[0], attack[1], attack[2]])
    assert more.zones == ["gov-cloud", "water-ot"]
    assert more.version == made.version + 2


def test_from_alerts_to_the_closing(made: IncidentRow, act: Run, look: Run, time: Clock, city: Database) -> None:
    time.move(minutes=20)
    act(service.acknowledge, ALICE, made.id, "alice", expected_version=made.version)
    decided = act(service.decide, ALICE, made.id, DECISION)
    assert (decided.class_code, decided.level) == ("0206", 4)
    tasks = look(service.list_tasks, made.id)
    found = [one.phase for one in tasks]
    assert found == sorted(found, key=OPEN.index)
    assert "锁定或重置被攻击账号，注销其会话" in [one.title for one in tasks]
    assert service.title_of(tasks[0], "en").startswith("Verify the alerts")
    done = act(service.change_task, ALICE, made.id, tasks[0].id, TaskChange(status="done", result="属实"), expected_version=1)
    assert (done.done_by, done.done_at, done.version) == ("alice", time.now, 2)
    with pytest.raises(Stale):
        act(service.change_task, ALICE, made.id, tasks[0].id, TaskChange(status="open"), expected_version=1)
    with pytest.raises(Invalid, match="why the task is dropped"):
        act(service.change_task, ALICE, made.id, tasks[1].id, TaskChange(status="dropped"))
    assert act(service.use_template, ALICE, made.id) == 0  # they are all there

    act(service.move, ALICE, made.id, "containment")
    time.move(hours=1)
    contained = act(service.move, ALICE, made.id, "eradication")
    assert contained.contained_at == time.now
    with pytest.raises(Invalid, match="say why"):
        act(service.move, ALICE, made.id, "containment")
    back = act(service.move, ALICE, made.id, "containment", reason="又见登录")
    assert back.contained_at == ""
    with pytest.raises(Invalid, match="review"):
        act(service.move, ALICE, made.id, "closed", reason="x", cause="resolved", may_close=True)
    time.move(hours=2)
    reviewed = act(service.move, ALICE, made.id, "review")
    assert reviewed.resolved_at == time.now
    with pytest.raises(Invalid, match="those who may decide"):
        act(service.move, ALICE, made.id, "closed", reason="完成", cause="resolved")
    closed = act(service.move, ALICE, made.id, "closed", reason="完成", cause="resolved", may_close=True)
    assert (closed.phase, closed.cause, closed.next_due) == ("closed", "resolved", "")
    for attempt in (lambda: act(service.decide, ALICE, made.id, DECISION), lambda: act(service.add_task, ALICE, made.id, "x")):
        with pytest.raises(Conflict, match="is closed"):
            attempt()
    again = act(service.move, ALICE, made.id, "recovery", reason="复发", may_close=True)
    assert (again.closed_at, again.resolved_at, again.cause) == ("", "", "")
    with city.read() as session:
        counted: dict[str, int] = dict(session.execute(select(AuditEntry.action, func.count()).group_by(AuditEntry.action)).all())
    assert {"incident.create": 1, "incident.decide": 1, "incident.phase": 6, "incident.acknowledge": 1}.items() <= counted.items()


def test_the_level_follows_the_factors_or_a_reason(made: IncidentRow, act: Run) -> None:
    with pytest.raises(Invalid, match="factors give level 4"):
        act(service.decide, ALICE, made.id, Decision("0206", "important", "considerable", "slight", "", level=2))
    found = act(service.decide, ALICE, made.id, Decision("0206", "important", "considerable", "slight", "领导小组决定", level=2))
    assert found.level == 2
    assert [one.key for one in found.clocks] == ["ack", "contain", "resolve", "report", "closing"]
    for wrong in ({"class_code": "02"}, {"class_code": "9999"}, {"object": "vast"}, {"harm": ""}):
        values = {"class_code": "0206", "object": "general", "loss": "slight", "harm": "slight", "reason": "", **wrong}
        with pytest.raises(Invalid):
            act(service.decide, ALICE, made.id, Decision(**values))


def test_a_false_alarm_is_closed_at_once_and_an_exercise_is_a_drill(act: Run, attack: list[int]) -> None:
    real = act(service.create_incident, ALICE, NewIncident("误报", alert_ids=(attack[0],)))
    with pytest.raises(Invalid, match="only a drill"):
        act(service.move, ALICE, real.id, "closed", reason="x", cause="exercise", may_close=True)
    assert act(service.move, ALICE, real.id, "closed", reason="误报", cause="false_alarm", may_close=True).closed_at
    drill = act(service.create_incident, ALICE, NewIncident("勒索演练", origin="drill", drill=True, zones=("gov-cloud",)))
    assert drill.number == "YL-2026-0001"
    assert act(service.move, ALICE, drill.id, "closed", reason="完成", cause="exercise", may_close=True).cause == "exercise"


def test_two_people_never_overwrite_each_other(made: IncidentRow, act: Run) -> None:
    act(service.change_incident, ALICE, made.id, Change(title="一"), expected_version=made.version)
    for late in (
        lambda: act(service.change_incident, ALICE, made.id, Change(title="二"), expected_version=made.version),
        lambda: act(service.decide, ALICE, made.id, DECISION, expected_version=made.version),
        lambda: act(service.move, ALICE, made.id, "containment", expected_version=made.version),
        lambda: act(service.pause, ALICE, made.id, "x", expected_version=made.version),
        lambda: act(service.add_alerts, ALICE, made.id, [3], expected_version=made.version),
    ):
        with pytest.raises(Stale):
            late()


def test_a_pause_moves_the_deadlines(made: IncidentRow, act: Run, time: Clock) -> None:
    before = {one.key: one.due for one in made.clocks}
    act(service.pause, ALICE, made.id, "等待厂商")
    with pytest.raises(Conflict, match="stand still already"):
        act(service.pause, ALICE, made.id, "再等")
    time.move(hours=3)
    assert act(service.change_incident, ALICE, made.id, Change(title="x")).next_due == before["report"]  # the law does not wait
    after = {one.key: one.due for one in act(service.resume, ALICE, made.id).clocks}
    assert before["contain"] == "2026-11-26T08:00:00.000000Z"  # level 3 is suggested: 240 minutes
    assert after["contain"] == "2026-11-26T11:00:00.000000Z"
    assert after["report"] == before["report"] == "2026-11-26T08:00:00.000000Z"


def test_merging(made: IncidentRow, act: Run, look: Run, attack: list[int]) -> None:
    act(service.add_indicator, ALICE, made.id, "domain", "evil[.]example")
    other = act(service.create_incident, ALICE, NewIncident("PLC 异常", severity="low", alert_ids=(attack[2],)))
    act(service.add_indicator, ALICE, other.id, "domain", "evil.example")
    act(service.add_task, ALICE, other.id, "现场检查")
    joined = act(service.merge, ALICE, made.id, other.id, expected_version=made.version)
    assert (set(joined.zones), joined.severity) == ({"gov-cloud", "water-ot"}, "critical")
    assert {one.id for one in look(service.alerts_of, made.id)} == set(attack)
    assert [one.value for one in look(service.list_indicators, made.id) if one.kind == "domain"] == ["evil.example"]
    assert [one.title for one in look(service.list_tasks, made.id)] == ["现场检查"]
    gone = look(service.get_incident, other.id)
    assert (gone.phase, gone.cause, gone.merged_into) == ("closed", "duplicate", made.id)
    with pytest.raises(Conflict, match="merged"):
        act(service.move, ALICE, other.id, "detection", reason="x", may_close=True)
    drill = act(service.create_incident, ALICE, NewIncident("演练", drill=True))
    for wrong in (lambda: act(service.merge, ALICE, made.id, made.id), lambda: act(service.merge, ALICE, made.id, drill.id)):
        with pytest.raises(Invalid):
            wrong()


def test_the_list(act: Run, look: Run, time: Clock) -> None:
    for number in range(7):
        time.move(minutes=1)
        severity = "high" if number % 2 else "low"
        act(service.create_incident, ALICE, NewIncident(f"案件 {number} 100%_", severity=severity, zones=("gov-cloud",)))
    for sort in service.SORTS:
        seen: list[int] = []
        cursor = ""
        while True:
            page = look(service.list_incidents, sort=sort, limit=3, cursor=cursor)
            seen += [row.id for row in page.incidents]
            cursor = page.cursor
            if not cursor:
                break
        assert sorted(seen) == list(range(1, 8)), sort
    assert [row.id for row in look(service.list_incidents, limit=1).incidents] == [7]
    assert look(service.count_incidents, IncidentFilter(text="100%_")).count == 7
    assert look(service.count_incidents, IncidentFilter(text="100x")).count == 0
    assert look(service.count_incidents, IncidentFilter(severity=("high",), zone=("gov-cloud",))).count == 3
    assert dict(look(service.facets, IncidentFilter(severity=("high",)))["severity"]) == {"high": 3, "low": 4}
    time.move(hours=1, minutes=-4)
    assert look(service.count_incidents, IncidentFilter(clock="overdue")).count == 2  # 04:01 and 04:02, an hour to acknowledge
    with pytest.raises(Invalid, match="cursor"):
        look(service.list_incidents, cursor="nonsense")


def test_what_people_write(made: IncidentRow, act: Run, look: Run, time: Clock) -> None:
    act(service.write, ALICE, made.id, "note", "先断网再说")
    act(service.write, ALICE, made.id, "decision", "隔离门户")
    act(service.write, ALICE, made.id, "entry", "电话通知", time="2026-11-26T03:30:00Z")
    assert [one.text for one in look(service.entries, made.id, kinds=("entry", "note", "decision"))] == [
        "隔离门户",
        "先断网再说",
        "电话通知",
    ]
    for kind, text, when in (
        ("act", "x", ""),
        ("note", " ", ""),
        ("entry", "x", "2027-01-01T00:00:00Z"),
        ("note", "x" * 10_001, ""),
    ):
        with pytest.raises(Invalid):
            act(service.write, ALICE, made.id, kind, text, time=when)
    del time
