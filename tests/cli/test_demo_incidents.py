"""The demo's incidents: each made once, the brute force when the city was attacked that way."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from cli.demo_incidents import DEMO, DemoIncidents
from demo.zone_plan import lanting_plan
from kernel.db import Database
from kernel.detection import Detection, detection_id
from operations import clock
from operations.alerts import service as alerts
from operations.audit.schema import SYSTEM
from operations.incidents import service
from operations.incidents.schema import IncidentFilter, IncidentRow, NewIncident
from operations.zones import service as zones
from tests.state_database import migrated


def city(folder: Path) -> Database:
    database = migrated(f"sqlite:///{folder / 'state.db'}")
    with database.write() as session:
        zones.import_plan(session, SYSTEM, lanting_plan(datetime.now(UTC)))
    return database


def brute_force(database: Database) -> None:
    event = {
        "@timestamp": clock.now(),
        "event.id": "a" * 32,
        "host.name": "web",
        "source.ip": "203.0.113.4",
        "host.zone": "citizen-dmz",
    }
    found = Detection(
        id=detection_id("r", ["a" * 32]), rule_id="r", rule_name="Guessed SSH password", level="high", engine="sigma",
        time=clock.now(), event_ids=["a" * 32], event=event, tags=["attack.t1110.001"], matched=[], author="", group={},
    )  # fmt: skip
    with database.write() as session:
        alerts.record_detections(session, [found])


def rows(database: Database) -> list[IncidentRow]:
    with database.read() as session:
        return service.list_incidents(session, IncidentFilter()).incidents


def test_each_is_made_once(tmp_path: Path) -> None:
    database = city(tmp_path)
    seed = DemoIncidents(database)
    for _turn in range(3):
        seed()
    assert {(row.number[:2], row.phase, row.cause) for row in rows(database)} == {
        ("YL", "closed", "exercise"),
        ("SJ", "containment", ""),
    }
    brute_force(database)
    for _turn in range(3):
        seed()
        DemoIncidents(database)()  # after a restart
    found = {row.title: row for row in rows(database)}
    assert len(found) == 3
    assert (found["疑似口令暴力破解"].level, found["疑似口令暴力破解"].suggested_class) == (0, "0206")
    assert {row.created_by for row in found.values()} == {DEMO.name}


def test_where_people_work_it_keeps_out(tmp_path: Path) -> None:
    database = city(tmp_path)
    with database.write() as session:
        service.create_incident(session, SYSTEM, NewIncident("真实事件"))
    DemoIncidents(database)()
    assert [row.title for row in rows(database)] == ["真实事件"]
