"""Numbers of the alerts in one's zones: whatever happens to alerts, they are what a plain reading counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from kernel.db import Database, open_database, upgrade
from kernel.detection import Detection
from operations.accounts.schema import Principal
from operations.alerts import listing, service, zone_counts
from operations.alerts.models import Alert, AlertEntity, AlertZoneCount
from operations.alerts.schema import UNASSIGNED, AlertFilter, Change
from operations.alerts.zone_counts import zones_of
from operations.reach import SESSION_KEY

Make = Callable[..., Detection]
SCOPES = ({"z0"}, {"z1", "z2"}, {"z0", "z1", "z2"}, {"nowhere"})
FILTERS = (
    AlertFilter(),
    AlertFilter(status=("new", "acknowledged")),
    AlertFilter(level=("high",)),
    AlertFilter(status=("closed",), level=("high", "low")),
    AlertFilter(assignee=("alice",)),
    AlertFilter(assignee=("alice", UNASSIGNED), status=("new", "acknowledged"), level=("low",)),
)


@pytest.fixture
def city(database: Database, make: Make) -> Database:
    """Alerts of one zone, of two, of none."""
    made = [make(rule=f"r{n}", host=f"h{n}", level=("high", "low")[n % 2], source__zone=f"z{n % 3}") for n in range(24)]
    made += [make(rule=f"two{n}", source__zone="z0", destination__zone=f"z{n}") for n in range(3)]
    made += [make(rule="none"), make(rule="twice", source__zone="z1", host__zone="z1")]
    with database.write() as session:
        service.record_detections(session, made)
    return database


def check(database: Database) -> None:
    """Kept numbers and a plain reading of the list say the same, and nothing of it was sampled."""
    for zones in SCOPES:
        for where in FILTERS:
            with database.carrying({SESSION_KEY: frozenset(zones)}).read() as session:
                counted = service.count_alerts(session, where)
                facets = {one.dimension: one for one in service.facets(session, where, ("status", "level", "assignee"))}
                rows = service.list_alerts(session, AlertFilter(), limit=500).alerts
            passed = {
                "status": [row.status in where.status or not where.status for row in rows],
                "level": [row.level in where.level or not where.level for row in rows],
                "assignee": [(row.assignee or UNASSIGNED) in where.assignee or not where.assignee for row in rows],
            }
            assert (counted.count, counted.exact) == (sum(map(all, zip(*passed.values(), strict=True))), True), (zones, where)
            for dimension, facet in facets.items():
                others = [passed[name] for name in passed if name != dimension]
                left = [row for row, *passes in zip(rows, *others, strict=True) if all(passes)]
                wanted = Counter(getattr(row, dimension) or UNASSIGNED for row in left)
                assert ({value.value: value.count for value in facet.values}, facet.exact) == (wanted, True), (zones, where)


def test_what_people_do_is_counted(city: Database, alice: Principal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "COUNT_LIMIT_SCOPED", 0)  # kept, or not exact
    check(city)
    with city.read() as session:
        ids = service.matching_ids(session, AlertFilter(), 500)
    with city.write() as session:
        batch = service.change_alerts(session, alice.actor, ids[::2], Change(status="acknowledged", assignee="alice")).batch
    check(city)
    with city.write() as session:
        service.change_alert(session, alice.actor, ids[1], Change(assignee="alice"))
        service.change_alert(session, alice.actor, ids[3], Change(status="closed", verdict="benign"))
    check(city)
    with city.write() as session:
        service.undo_change(session, alice.actor, batch)
        drafted, _preview = service.prepare(session, alice.actor, "alice", Change(status="in_progress"), where=AlertFilter())
        service.start(session, alice.actor, "alice", drafted.id)
    service.run_bulk(city, drafted.id)
    check(city)
    with city.write() as session:
        same_zone = service.matching_ids(session, AlertFilter(rule=("r0", "r3", "r6")), 3)
        assert len(service.merge_alerts(session, alice.actor, same_zone[0], dict.fromkeys(same_zone)).merged) == 2
    check(city)


def test_an_alert_that_comes_to_name_further_zones_counts_with_those(city: Database, make: Make) -> None:
    with city.write() as session:
        again = [make(rule="r0", host="h0", level="high", source__zone="z2"), make(rule="none", source__zone="z2")]
        assert len(service.record_detections(session, again).updated_alert_ids) == 2
    check(city)
    with city.write() as session:
        service.record_detections(session, [make(rule="r0", host="h0", level="high", source__zone="z2")])  # names no further one
    check(city)
    with city.read() as session:
        [number] = session.execute(select(Alert.id).where(Alert.rule_id == "r0")).scalars()
        assert {key: sorted(zones) for key, zones in zones_of(session, [number]).items()} == {number: ["z0", "z2"]}


def test_too_many_sets_of_zones_are_not_read(city: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zone_counts, "MANY", 3)
    check(city)  # one by one, with the same numbers


def test_what_was_there_before_is_counted_by_the_migration(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'state.db'}")
    upgrade(database, "0042")
    at = "2026-11-20T10:00:00.000000Z"
    names = "id, dedup_key, rule_id, rule_name, engine, level, level_rank, status, assignee, count, first_seen, last_seen"
    more = "created_at, updated_at, dataset, source, tags, version"
    with database.engine.begin() as connection:
        for number, assignee in ((1, "alice"), (2, None), (3, None)):
            row = (number, "k", "r", "R", "sigma", "low", 1, "new", assignee, 1, at, at, at, at, "d", "s", "[]", 1)
            connection.exec_driver_sql(f"INSERT INTO alerts ({names}, {more}) VALUES ({', '.join('?' * 18)})", row)
        for number, kind, value in ((1, "zone", "z1"), (1, "zone", '区 "0"'), (1, "host", "z3"), (2, "zone", "z1")):
            entity = {"alert_id": number, "kind": kind, "value": value, "role": "host.zone"}
            connection.execute(AlertEntity.__table__.insert(), entity)  # type: ignore[attr-defined]
    upgrade(database)
    with database.read() as session:
        kept = session.execute(select(AlertZoneCount.dimension, AlertZoneCount.value, AlertZoneCount.zones, AlertZoneCount.count))
        both, one = '["z1","区 \\"0\\""]', '["z1"]'
        assert set(kept.all()) == {
            ("all", "", both, 1),
            ("all", "", one, 1),
            ("assignee", "alice", both, 1),
            ("assignee", "-", one, 1),
        }
    database.close()
