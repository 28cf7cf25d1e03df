"""What triggers start: each occasion once, not for the same thing again and again, not without end, and not in circles."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from sqlalchemy import event, select, update

from crypto.secret import MasterKey
from kernel.db import Database
from kernel.errors import StateUnavailable
from operations import clock
from operations.audit import service as audit
from operations.audit.schema import SYSTEM, Actor
from operations.inbound import service as inbound
from operations.incidents import change as incidents
from operations.incidents.record import create_incident
from operations.incidents.schema import Decision, NewIncident
from operations.warnings.models import WarningHistory, WarningRow
from operations.webhooks import service as webhooks
from operations.webhooks.models import WebhookDelivery
from playbooks.run.models import PlaybookRun
from playbooks.run.questions import FIRED_BY
from playbooks.shelf import service as shelf
from playbooks.triggers import evaluate, firing, subjects
from playbooks.triggers import service as triggers
from playbooks.triggers.evaluate import fire_due
from playbooks.triggers.schema import Trigger
from tests.playbooks.matters import alert
from tests.playbooks.shelf.people import DUTY, RESPONDER
from tests.playbooks.triggers.conftest import ID, Make


def runs(database: Database) -> list[PlaybookRun]:
    with database.read() as session:
        return list(session.execute(select(PlaybookRun).order_by(PlaybookRun.id)).scalars())


def counts(database: Database, trigger: Trigger) -> dict[str, int]:
    """The counters that are not 0."""
    with database.read() as session:
        found = msgspec.to_builtins(triggers.get(session, trigger.id))
    return {name: found[name] for name in ("started", "throttled", "limited", "looped", "failed") if found[name]}


def end_all(database: Database) -> None:
    with database.write() as session:
        session.execute(update(PlaybookRun).values(state="finished"))


# -- alerts -----------------------------------------------------------------------------------------------------------------------


def test_an_alert_starts_a_run_once_with_what_is_known_of_it(city: Database, make: Make) -> None:
    trigger = make("alert", {"level": "high"}, variables={"__what__": "{source.ip} → {alert.rule_name} {process.name}"})
    number = alert(city, host__name="WEB1", source__ip="203.0.113.9", host__zone="office")
    assert (fire_due(city), fire_due(city)) == (1, 0)
    (run,) = runs(city)
    assert (run.created_by, run.request_key) == (f"trigger:{trigger.id}", f"trigger:{trigger.id}:alert:{number}")
    assert json.loads(run.variables) == {
        "__address__": "203.0.113.9", "__host__": "web1", "__matter__": "口令爆破", "__alert_id__": str(number), "__ot__": "false",
        "__what__": "203.0.113.9 → 口令爆破 ",
    }  # fmt: skip
    cause = {"kind": "alert", "trigger": trigger.id, "name": "alert trigger", "depth": 0, "id": number}
    assert json.loads(run.cause) == cause
    with city.read() as session:
        found = triggers.get(session, trigger.id)
        (entry,) = audit.listing(session, action="playbook.start").entries
    assert (found.started, found.last_run_id, entry.actor) == (1, run.id, f"trigger:{trigger.id}")


def test_what_was_there_before_it_was_switched_on_starts_nothing(city: Database, make: Make) -> None:
    alert(city)
    trigger = make("alert", {"level": "high"})
    assert fire_due(city) == 0
    with city.write() as session:
        triggers.set_enabled(session, RESPONDER, trigger.id, False, None)
    alert(city)
    assert fire_due(city) == 0
    with city.write() as session:
        triggers.set_enabled(session, DUTY, trigger.id, True, None)
    assert fire_due(city) == 0
    alert(city)
    assert fire_due(city) == 1


@pytest.mark.parametrize(
    ("condition", "fields", "starts"),
    [
        ({"rules": ["r", "s"]}, {}, True),
        ({"rules": ["s"]}, {}, False),
        ({"level": "critical"}, {}, False),
        ({"level": "low"}, {}, True),
        ({"datasets": ["windows.sysmon"]}, {}, True),
        ({"datasets": ["other"]}, {}, False),
        ({"zones": ["office"]}, {"host__zone": "office"}, True),
        ({"zones": ["office"]}, {"host__zone": "water-ot"}, False),
        ({"entities": [{"kind": "ip", "pattern": "203.0.113.0/24"}]}, {"source__ip": "203.0.113.9"}, True),
        ({"entities": [{"kind": "ip", "pattern": "2001:db8::/32"}]}, {"source__ip": "203.0.113.9"}, False),
        ({"entities": [{"kind": "host", "pattern": "web*"}]}, {"host__name": "WEB1"}, True),
        ({"level": "high", "zones": ["office"]}, {"host__zone": "office", "host__name": "x"}, True),
    ],
)
def test_conditions_on_alerts(city: Database, make: Make, condition: dict[str, Any], fields: dict[str, Any], starts: bool) -> None:
    make("alert", condition)
    alert(city, **fields)
    assert fire_due(city) == int(starts)
    assert fire_due(city) == 0


def test_a_suppressed_alert_starts_nothing(city: Database, make: Make) -> None:
    make("alert", {"level": "high"})
    number = alert(city)
    with city.write() as session:
        session.execute(update(evaluate.sources.Alert).where(evaluate.sources.Alert.id == number).values(status="suppressed"))
    assert fire_due(city) == 0


def test_the_same_host_has_its_run_for_a_while(city: Database, make: Make) -> None:
    trigger = make("alert", {"level": "high"}, throttle_seconds=600)
    for _ in range(3):
        alert(city, host__name="WEB1")
    alert(city, host__name="WEB2")
    assert fire_due(city) == 2
    end_all(city)
    alert(city, host__name="WEB1")
    assert fire_due(city, clock.shift(clock.now(), 500)) == 0
    alert(city, host__name="WEB1")
    assert fire_due(city, clock.shift(clock.now(), 700)) == 1
    assert counts(city, trigger) == {"started": 3, "throttled": 3}


def test_a_playbook_does_not_run_twice_at_once_for_the_same_thing(city: Database, make: Make) -> None:
    first, second = (make("alert", {"level": "high", "per": "source_ip"}, throttle_seconds=0) for _ in range(2))
    alert(city, source__ip="203.0.113.9")
    assert fire_due(city) == 1
    assert counts(city, second) == {"throttled": 1}
    end_all(city)
    alert(city, source__ip="203.0.113.9")
    assert fire_due(city) == 1
    assert counts(city, first)["started"] + counts(city, second).get("started", 0) == 2


@pytest.mark.parametrize(
    ("per", "entity"),
    [("", "host:web1"), ("user", "user:root"), ("destination_ip", "destination_ip:10.10.0.5"), ("rule", "rule:r")],
)
def test_what_throttling_counts_by(city: Database, make: Make, per: str, entity: str) -> None:
    make("alert", {"level": "high", "per": per})
    alert(city, host__name="WEB1", user__name="root", destination__ip="10.10.0.5")
    fire_due(city)
    with city.read() as session:
        assert session.execute(select(evaluate.TriggerFiring.entity)).scalars().all() == [entity]


def test_beyond_the_hour_starts_are_counted_and_told_once(city: Database, make: Make, tmp_path: Any) -> None:
    with city.write() as session:
        policy = webhooks.WebhookPolicy(allow=("10.0.0.0/8",))
        key = MasterKey.load(tmp_path / "master.key")
        webhooks.create_target(session, Actor("zhou"), key, name="w", url="https://10.9.9.9/", policy=policy)
    trigger = make("alert", {"level": "high"}, most_per_hour=2, throttle_seconds=0)
    for number in range(6):
        alert(city, host__name=f"H{number}")
        fire_due(city)
    assert counts(city, trigger) == {"started": 2, "limited": 4}
    with city.read() as session:
        kinds = list(session.execute(select(WebhookDelivery.event_type)).scalars())
    assert kinds.count(firing.LIMITED) == 1
    alert(city, host__name="H7")
    assert fire_due(city, clock.shift(clock.now(), 3_700)) == 1


def test_a_flood_is_looked_at_in_pieces_and_each_alert_once(city: Database, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subjects, "BATCH", 50)
    trigger = make("alert", {"level": "high"}, most_per_hour=1_000, throttle_seconds=0)
    for number in range(80):
        alert(city, host__name=f"H{number}")
    assert (fire_due(city), fire_due(city), fire_due(city)) == (50, 30, 0)
    assert counts(city, trigger) == {"started": 80}


# -- failures ---------------------------------------------------------------------------------------------------------------------


def test_what_cannot_be_started_is_counted_and_keeps_nothing_back(city: Database, make: Make) -> None:
    trigger = make("alert", {"level": "high"})
    with city.write() as session:
        shelf.set_enabled(session, DUTY, ID, False, None)
    alert(city, host__name="A")
    assert (fire_due(city), fire_due(city)) == (0, 0)
    assert counts(city, trigger) == {"failed": 1}
    with city.read() as session:
        assert "switched off" in triggers.get(session, trigger.id).last_error
    with city.write() as session:
        shelf.set_enabled(session, DUTY, ID, True, None)
    alert(city, host__name="B")
    assert fire_due(city) == 1
    with city.read() as session:
        assert triggers.get(session, trigger.id).last_error == ""


def test_a_value_that_does_not_fit_is_a_failure(city: Database, make: Make) -> None:
    trigger = make("alert", {"level": "high"}, variables={"__alert_id__": "number {alert.id}"})
    alert(city)
    assert fire_due(city) == 0
    assert counts(city, trigger) == {"failed": 1}


def test_a_mistake_in_one_trigger_does_not_stop_the_others(city: Database, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = make("alert", {"level": "high"})
    make("alert", {"level": "high", "per": "rule"})
    alert(city, host__name="A")
    real = firing._start

    def breaking(session: Any, trigger: Any, *rest: Any) -> bool:
        if trigger.id == bad.id:
            raise RuntimeError("a mistake of ours")
        return real(session, trigger, *rest)

    monkeypatch.setattr(firing, "_start", breaking)
    assert fire_due(city) == 1
    monkeypatch.setattr(firing, "_start", real)
    assert fire_due(city) == 1  # it was not passed


def test_a_condition_that_cannot_be_read_does_not_stop_the_others(city: Database, make: Make) -> None:
    bad = make("alert", {"level": "high"})
    make("alert", {"level": "high"})
    with city.write() as session:
        session.execute(update(evaluate.PlaybookTrigger).where(evaluate.PlaybookTrigger.id == bad.id).values(condition='{"x": 1}'))
    alert(city)
    assert fire_due(city) == 1


def test_a_trail_that_does_not_take_it_leaves_nothing_half(city: Database, make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    make("alert", {"level": "high"}, throttle_seconds=0)
    alert(city, host__name="A")
    alert(city, host__name="B")
    real, calls = audit.append, []

    def full(*words: Any, **more: Any) -> int:
        calls.append(words)
        if len(calls) == 2:
            raise StateUnavailable("the audit trail did not take the entry", reason="audit")
        return real(*words, **more)

    monkeypatch.setattr("playbooks.shelf.starting.audit.append", full)
    with pytest.raises(StateUnavailable):
        fire_due(city)
    assert runs(city) == []
    assert fire_due(city) == 2


def test_where_nothing_is_new_nothing_is_written(city: Database, make: Make) -> None:
    make("alert", {"level": "high"})
    make("incident", {"phases": ["containment"]})
    make("schedule", {"every_minutes": 60})
    alert(city)
    fire_due(city)
    statements: list[str] = []
    event.listen(city.engine, "before_cursor_execute", lambda *words: statements.append(words[2]))
    assert fire_due(city) == 0
    assert not [one for one in statements if one.startswith(("UPDATE", "INSERT", "DELETE", "BEGIN IMMEDIATE"))]
    assert len([one for one in statements if one.startswith("SELECT")]) <= 4


# -- incidents, warnings, webhooks, the clock -------------------------------------------------------------------------------------


def _incident(database: Database, actor: Actor = SYSTEM, **more: Any) -> int:
    with database.write() as session:
        return create_incident(session, actor, NewIncident("门户被攻击", zones=("office",), **more)).id


def _move(database: Database, number: int, phase: str, actor: Actor = SYSTEM) -> None:
    with database.write() as session:
        incidents.move(session, actor, number, phase, reason="因为")


def test_an_incident_that_enters_a_phase(city: Database, make: Make) -> None:
    trigger = make("incident", {"phases": ["detection", "containment"]}, throttle_seconds=0)
    number = _incident(city)
    assert fire_due(city) == 1
    end_all(city)
    _move(city, number, "containment")
    assert fire_due(city) == 1
    end_all(city)
    _move(city, number, "eradication")
    assert fire_due(city) == 0
    assert counts(city, trigger) == {"started": 2}
    assert json.loads(runs(city)[-1].variables)["__matter__"] == "门户被攻击"


def test_whose_act_started_it_is_remembered_and_is_no_run(city: Database, make: Make) -> None:
    make("incident", {"phases": ["detection", "containment"]}, throttle_seconds=0)
    number = _incident(city)
    fire_due(city)
    end_all(city)
    _move(city, number, "containment", Actor("lin.mei"))
    fire_due(city)
    end_all(city)
    assert [json.loads(run.cause).get(FIRED_BY, "") for run in runs(city)] == [SYSTEM.name, "lin.mei"]
    _move(city, number, "detection", Actor(f"playbook:{runs(city)[-1].id}"))
    fire_due(city)
    assert FIRED_BY not in json.loads(runs(city)[-1].cause)


def test_an_incident_that_is_graded_while_it_is_in_a_phase(city: Database, make: Make) -> None:
    make("incident", {"phases": ["detection"], "level": 2}, throttle_seconds=0)
    number = _incident(city, severity="low")
    assert fire_due(city) == 0
    for _ in range(2):  # decided twice, started once
        with city.write() as session:
            incidents.decide(session, SYSTEM, number, Decision("0101", "special", "serious", "serious", "因为", level=1))
        fire_due(city)
        end_all(city)
    assert len(runs(city)) == 1


@pytest.mark.parametrize(("drills", "started"), [(False, 0), (True, 1)])
def test_drills_only_where_it_says_so(city: Database, make: Make, drills: bool, started: int) -> None:
    make("incident", {"phases": ["preparation"], "drills": drills})
    _incident(city, origin="drill", drill=True)
    assert fire_due(city) == started


def _warning(database: Database, level: str, zones: list[str]) -> int:
    """A published warning, as its room writes it down."""
    now = clock.now()
    texts = dict.fromkeys(("nature", "threat", "extent", "objects", "effect", "measures"), "")
    with database.write() as session:
        row = WarningRow(
            **texts, status="published", level=level, importance="general", harm="general", title="预警", organisations="[]",
            zones=json.dumps(zones), edition=1, author="a", contributors="[]", source="hand", reasons="[]", created_at=now,
            updated_at=now,
        )  # fmt: skip
        session.add(row)
        session.flush()
        after = json.dumps({"level": level})
        session.add(WarningHistory(warning_id=row.id, time=now, actor="a", act="publish", edition=1, before="{}", after=after))
        return row.id


def test_a_warning_of_a_colour(city: Database, make: Make) -> None:
    make("warning", {"levels": ["orange", "red"], "zones": ["office"]}, variables={"__what__": "{warning.level}"})
    _warning(city, "yellow", ["office"])
    _warning(city, "red", ["water-ot"])
    number = _warning(city, "red", ["office"])
    assert (fire_due(city), fire_due(city)) == (1, 0)
    (run,) = runs(city)
    assert json.loads(run.cause)["id"] == number
    assert json.loads(run.variables)["__what__"] == "red"


def test_an_inbound_webhook(city: Database, make: Make, tmp_path: Any) -> None:
    key = MasterKey.load(tmp_path / "master.key")
    with city.write() as session:
        mine, other = (inbound.create(session, SYSTEM, key, name=name)[0].id for name in ("扫描器", "别的"))
    make("webhook", {"source": mine, "level": "medium"})
    alert(city, rule=f"inbound.{mine}.x", engine="inbound", level="low")
    alert(city, rule=f"inbound.{other}.x", engine="inbound")
    alert(city, rule=f"inbound.{mine}.x", engine="sigma")
    alert(city, rule=f"inbound.{mine}0.x", engine="inbound")
    assert fire_due(city) == 0
    alert(city, rule=f"inbound.{mine}.x", engine="inbound")
    assert fire_due(city) == 1


def test_by_the_clock_once_however_long_nobody_looked(city: Database, make: Make) -> None:
    trigger = make("schedule", {"every_minutes": 10}, variables={"__what__": "{schedule.due}"})
    now = clock.now()
    assert fire_due(city, now) == 0
    later = clock.shift(now, 3_600)
    assert (fire_due(city, later), fire_due(city, later)) == (1, 0)
    (run,) = runs(city)
    assert json.loads(run.variables) == {"__what__": trigger.due_at}
    assert fire_due(city, clock.shift(later, 600)) == 0  # the run before has not ended
    end_all(city)
    assert fire_due(city, clock.shift(later, 1_200)) == 1
    assert counts(city, trigger) == {"started": 2, "throttled": 1}


# -- loops ------------------------------------------------------------------------------------------------------------------------


def test_what_a_run_brings_about_starts_one_more_and_no_further(city: Database, make: Make) -> None:
    trigger = make("incident", {"phases": ["detection"]}, throttle_seconds=0)
    with city.write() as session:
        by_hand = shelf.start(session, RESPONDER, ID, {}, {"kind": "hand"})
    _incident(city, Actor(f"playbook:{by_hand}"))
    assert fire_due(city) == 1
    first = runs(city)[-1]
    assert json.loads(first.cause)["depth"] == 1
    _incident(city, Actor(f"playbook:{first.id}"))
    assert fire_due(city) == 0
    _incident(city, Actor("playbook:999999"))  # nobody knows any more what that was
    assert fire_due(city) == 0
    assert counts(city, trigger) == {"started": 1, "looped": 2}
