"""Lists of the incidents of some zones: what is quicker read from the side of the zones says what reading every incident says."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import column, insert, select, table, text

from kernel.db import Database, open_database, upgrade
from operations.audit.schema import Actor
from operations.incidents import listing, places
from operations.incidents.models import Incident, IncidentZone
from operations.incidents.record import create_incident
from operations.incidents.schema import IncidentFilter, NewIncident
from operations.reach import SESSION_KEY
from tests.operations.statements import statements
from tests.postgresql_server import running_postgresql
from tests.state_database import migrated

ZONES = ("a", "b", "c", "d")
WHERE = (
    IncidentFilter(),
    IncidentFilter(zone=("b",)),
    IncidentFilter(zone=("a", "c")),
    IncidentFilter(phase=("detection", "review")),
    IncidentFilter(phase=("closed",), zone=("d",)),
    IncidentFilter(text="tool 1"),
    IncidentFilter(text="漏洞", zone=("a", "b")),
)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def many(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Two hundred incidents that name none to three of four zones; the order of their numbers is not that of their moments."""
    if request.param == "sqlite":
        yield filled(migrated(f"sqlite:///{tmp_path_factory.mktemp('zones')}/state.db"))
        return
    shared: Path = request.getfixturevalue("shared")
    with running_postgresql(shared, tmp_path_factory.mktemp("pg")) as url:
        made = migrated(url)
        yield filled(made)
        made.close()


def filled(database: Database) -> Database:
    dice = random.Random(7)
    with database.write() as session:
        for number in range(200):
            made = create_incident(session, Actor("alice"), NewIncident(f"{dice.choice(('tool', '漏洞'))} {number}"))
            incident = session.get_one(Incident, made.id)
            incident.created_at = f"2026-11-{dice.randint(1, 28):02d}T00:00:00.000000Z"
            incident.phase = dice.choice(("detection", "review", "closed"))
            places.set_places(session, incident, dice.sample(ZONES, dice.randint(0, 3)), [])
    return database


@pytest.mark.parametrize("apart", [1, 16])
@pytest.mark.parametrize("seen", [None, (), ("a",), ("b", "c"), ZONES])
def test_facets_and_counts_are_those_of_the_newest(
    many: Database, monkeypatch: pytest.MonkeyPatch, seen: tuple[str, ...] | None, apart: int
) -> None:
    monkeypatch.setattr(listing, "ZONES_APART", apart)
    monkeypatch.setattr(listing, "SAMPLE", 40)
    monkeypatch.setattr(listing, "COUNT_LIMIT_SCOPED", 50)
    theirs = many if seen is None else many.carrying({SESSION_KEY: frozenset(seen)})
    for where in WHERE:
        with theirs.read() as session:
            rows = listing.list_incidents(session, where, limit=500).incidents
            count = listing.count_incidents(session, where)
            facets, told = listing.facets_and_count(session, where)
        most = 10_000 if seen is None else 50
        assert (count.count, count.exact) == (min(len(rows), most), len(rows) <= most), where
        assert told.count == count.count or not told.exact, where
        newest = rows[:40]  # the list is in the order of the moments
        if not where.phase:
            assert dict(facets["phase"]) == Counter(row.phase for row in newest), where
        if not where.zone:
            allowed = ZONES if seen is None else seen
            assert dict(facets["zone"]) == Counter(zone for row in newest for zone in row.zones if zone in allowed), where


def test_who_sees_two_zones_has_their_newest_read_from_the_index_of_zones(many: Database) -> None:
    with statements(many) as told, many.carrying({SESSION_KEY: frozenset({"a", "b"})}).read() as session:
        listing.facets(session, IncidentFilter())
    (sample,) = (one for one in told if "UNION" in one)
    assert "EXISTS" not in sample
    with many.read() as session:
        plan = text("EXPLAIN " + ("QUERY PLAN " if many.dialect == "sqlite" else "") + NEWEST)
        if many.dialect == "postgresql":
            session.execute(text("SET LOCAL enable_sort = off"))
        assert "ix_incident_zones_newest" in str(session.execute(plan).all())


NEWEST = "SELECT incident_id FROM incident_zones WHERE zone = 'a' ORDER BY created_at DESC, incident_id DESC LIMIT 40"


def test_zones_keep_the_moment_of_their_incident(many: Database) -> None:
    joined = select(Incident.created_at, IncidentZone.created_at).join(IncidentZone, IncidentZone.incident_id == Incident.id)
    with many.read() as session:
        pairs = session.execute(joined).all()
    assert len(pairs) > 100
    assert all(pair[0] == pair[1] for pair in pairs)


def test_incidents_of_before_get_the_moment_with_the_migration(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/state.db")
    upgrade(database, "0042")
    moment = "2026-11-26T04:00:00.000000Z"
    with database.write() as session:
        required = [name for name in Incident.__table__.c if not name.nullable and name.name not in ("id", "merged_into")]
        old = {one.name: 0 if one.type.python_type in (int, bool) else "" for one in required}
        session.execute(insert(Incident), [old | {"id": 7, "number": "A-7", "created_at": moment}])
        named = table("incident_zones", column("zone"), column("incident_id"))
        session.execute(insert(named), [{"zone": "a", "incident_id": 7}])
    upgrade(database)
    with database.read() as session:
        assert session.execute(select(IncidentZone.zone, IncidentZone.created_at)).all() == [("a", moment)]
