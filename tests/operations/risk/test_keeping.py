"""Scores follow what happens, day by day, and are shown to whom they concern."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from kernel.db import Database
from kernel.db.base import Base
from kernel.detection import Detection
from kernel.zones.model import Asset, Conduit, Zone
from kernel.zones.table import ZoneTable
from operations.accounts.schema import Principal
from operations.alerts import service as alerts
from operations.alerts.schema import Change
from operations.assets import register
from operations.audit.schema import Actor
from operations.errors import Invalid, NotFound, Stale
from operations.reach import SESSION_KEY
from operations.risk import listing, settings
from operations.risk.keeping import RiskKeeper
from operations.risk.schema import RiskFilter
from operations.zones import service as zones

ADMIN = Actor("an.quan", "192.0.2.1")
SECADMIN = Principal(2, "an.quan", "", "secadmin", address="192.0.2.1")


@pytest.fixture
def city(database: Database) -> Database:
    with database.write() as session:
        for number, name in enumerate(("water", "office"), start=1):
            zones.save_zone(
                session, ADMIN, Zone(id=name, name=name, layer="cloud", importance=6 - number, ranges=(f"10.{number}.0.0/16",))
            )
        zones.save_conduit(
            session,
            ADMIN,
            Conduit(id="web", sources=("internet",), targets=("office",), services=("https",), reason="r", approver="a"),
        )
        table = zones.zone_table(session)
        assert isinstance(table, ZoneTable)
        for name, address in (("plc-1", "10.1.0.5"), ("pc-1", "10.2.0.5")):
            register.register(session, ADMIN, Asset(id=name, addresses=(address,)), table)
    return database


def _row(database: Database, key: str, kind: str = "asset") -> listing.RiskRow:
    with database.read() as session:
        return listing.get(session, kind, key).row


def _alert(database: Database, make: Callable[..., Detection], time: str, event_id: str) -> int:
    found = make(level="critical", time=time, event_id=event_id, **{"host.asset.id": "plc-1", "host.zone": "water"})
    with database.write() as session:
        return alerts.record_detections(session, [found]).new_alert_ids[0]


def test_an_alert_raises_the_score_and_closing_it_lowers_it_again(city: Database, make: Callable[..., Detection]) -> None:
    keeper = RiskKeeper(city, now=lambda: "2026-11-20T08:00:00.000000Z")
    assert keeper().full
    quiet, zone = _row(city, "plc-1"), _row(city, "water", "zone")
    alert = _alert(city, make, "2026-11-20T07:00:00.000000Z", "e1")
    done = keeper()
    assert (done.full, done.looked) == (False, 2)
    loud = _row(city, "plc-1")
    assert loud.score > quiet.score
    assert loud.threat > quiet.threat
    assert loud.delta == pytest.approx(loud.score - quiet.score, abs=0.05)
    assert _row(city, "water", "zone").score > zone.score
    with city.write() as session:
        alerts.change_alerts(session, ADMIN, [alert], Change(status="closed", verdict="benign"), note="test")
    assert keeper().looked == 2
    assert _row(city, "plc-1").score == quiet.score
    assert keeper().looked == 0


def test_movers_compare_with_the_score_of_seven_days_ago(city: Database, make: Callable[..., Detection]) -> None:
    day = ["2026-11-01"]
    keeper = RiskKeeper(city, now=lambda: f"{day[0]}T08:00:00.000000Z", monotonic=iter(range(0, 10**6, 100)).__next__)
    keeper()
    first = _row(city, "plc-1").score
    day[0] = "2026-11-03"
    _alert(city, make, "2026-11-03T07:00:00.000000Z", "e1")
    keeper()
    risen = _row(city, "plc-1").score
    day[0] = "2026-11-09"  # seven days before is the 2nd: as on the 1st
    keeper()
    assert _row(city, "plc-1").baseline == first
    with city.read() as session:
        assert [one.key for one in listing.movers(session)] == ["plc-1"]
    day[0] = "2026-11-12"  # by now the week began high
    keeper()
    assert (_row(city, "plc-1").baseline, _row(city, "plc-1").delta) == (risen, 0)
    with city.read() as session:
        assert listing.movers(session) == []


def test_the_exposed_one_is_riskier_and_pages_follow_each_other(city: Database) -> None:
    RiskKeeper(city)()
    with city.read() as session:
        page = listing.list_risks(session, RiskFilter(kind="zone"), limit=1)
        rest = listing.list_risks(session, RiskFilter(kind="zone"), limit=1, cursor=page.cursor)
        assert [row.key for row in (*page.rows, *rest.rows)] == ["office", "water"]
        assert rest.cursor == ""
        for wrong in ("rubbish", "1~", "' OR 1=1"):
            with pytest.raises(Invalid):
                listing.list_risks(session, cursor=wrong)


def test_a_scope_sees_its_zones_only(city: Database) -> None:
    RiskKeeper(city)()
    with city.carrying({SESSION_KEY: frozenset({"water"})}).read() as session:
        page = listing.list_risks(session)
        assert [row.key for row in page.rows] == ["plc-1"]
        assert page.hidden == 1
        assert {row.zone for row in listing.movers(session)} <= {"water"}
        with pytest.raises(NotFound):
            listing.get(session, "asset", "pc-1")


def test_numbers_are_checked_audited_and_versioned(city: Database) -> None:
    keeper = RiskKeeper(city, monotonic=iter(range(0, 10**6, 100)).__next__)
    keeper()
    before = _row(city, "plc-1").score
    value = settings.shipped().value
    with city.write() as session:
        settings.change(session, SECADMIN, value | {"quiet": 0.9}, "test", False, expected_version=0)
    with city.write() as session, pytest.raises(Stale):
        settings.change(session, SECADMIN, value, "test", False, expected_version=0)
    for wrong in (
        {},
        value | {"quiet": 2},
        value | {"quiet": True},
        value | {"more": 1},
        value | {"weights": dict.fromkeys(value["weights"], 0)},
    ):
        with city.write() as session, pytest.raises(Invalid):
            settings.change(session, SECADMIN, wrong, "test", False, expected_version=1)
    assert keeper().full
    assert _row(city, "plc-1").score > before


def test_the_migration_makes_the_tables_of_the_models(database: Database) -> None:
    with database.engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    assert [one for one in map(str, found) if "'risk_" in one or "ix_risk" in one] == []
