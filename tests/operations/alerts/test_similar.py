"""Similar alerts: the reasons are named, the nearest come first, and nothing comes from outside of the scope."""

from __future__ import annotations

from collections.abc import Callable

from kernel.db import Database
from kernel.detection import Detection
from operations.alerts import service
from operations.alerts.similar import NEAR, Similar
from operations.reach import SESSION_KEY

Make = Callable[..., Detection]


def record(database: Database, *detections: Detection) -> list[int]:
    with database.write() as session:
        return [number for one in detections for number in service.record_detections(session, [one]).new_alert_ids]


def similar(database: Database, number: int, limit: int = 8) -> list[Similar]:
    with database.read() as session:
        detail = service.get_detail(session, number)
        return service.similar_alerts(session, detail.alert, detail.entities, limit=limit)


def test_reasons_and_order(database: Database, make: Make) -> None:
    tags = ["attack.execution", "attack.t1059.001"]
    alone, same_hash, same_user, technique, rule, late = record(
        database,
        make(rule="a", host="h1", user__name="Bob", file__hash__sha256="AB" * 32, tags=tags),
        make(rule="b", host="h2", file__hash__sha256="ab" * 32, tags=[]),
        make(rule="c", host="h3", user__name="bob", tags=[]),
        make(rule="d", host="h4", tags=tags),
        make(rule="a", host="h5", tags=[]),
        make(rule="b", host="h1", time="2026-11-23T09:30:00.000000Z", tags=[]),
    )
    record(database, make(rule="z", host="other", tags=["attack.execution"]))  # a tactic is too wide
    found = similar(database, alone)
    assert [(one.alert.id, [reason.kind for reason in one.reasons]) for one in found] == [
        (same_hash, ["hash", "time"]),
        (same_user, ["user", "time"]),
        (technique, ["technique", "time"]),
        (rule, ["rule", "time"]),
        (late, ["host", "time"]),
    ]
    assert [one.score for one in found] == [14, 10, 8, 8, 8]
    assert found[4].reasons[1].value == str(5 * 3600 + 1800)
    assert similar(database, alone, limit=2) == found[:2]
    assert not similar(database, record(database, make(rule="only", host="nowhere", tags=[]))[0])


def test_what_many_have_counts_half_and_the_scan_is_bounded(database: Database, make: Make) -> None:
    noise = [make(rule=f"r{n}", host=f"h{n}", source__ip="192.0.2.1", tags=[]) for n in range(2 * NEAR + 10)]
    ids = record(database, *noise)
    middle = ids[len(ids) // 2]
    found = similar(database, middle, limit=500)
    assert len(found) == 2 * NEAR
    assert {reason.points for one in found for reason in one.reasons if reason.kind == "ip"} == {3}
    assert all(reason.common for one in found for reason in one.reasons if reason.kind == "ip")


def test_only_what_may_be_seen(database: Database, make: Make) -> None:
    mine, ours, foreign = record(
        database, make(rule="a", host__zone="z1"), make(rule="b", host__zone="z1"), make(rule="c", host__zone="z2")
    )
    seen = database.carrying({SESSION_KEY: frozenset({"z1"})})
    assert [one.alert.id for one in similar(seen, mine)] == [ours]
    assert {one.alert.id for one in similar(database, mine)} == {ours, foreign}
