"""The zone plan in the state database: checked as a whole, audited, versioned, published."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from kernel.db import Database
from kernel.zones.plan import Conduit, Zone, read_plan
from kernel.zones.snapshot import ZoneSource
from operations.accounts.schema import Principal
from operations.assets.listing import list_assets
from operations.assets.schema import AssetFilter
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.errors import Conflict, Invalid, NotFound
from operations.zones import service
from operations.zones.publish import PlanPublisher
from operations.zones.revision import current

ACTOR = Actor("alice", "192.0.2.1")
PLAN = read_plan(
    """
zones:
  - {id: office, name: 办公网, layer: network, ranges: [10.21.0.0/16]}
  - {id: data, name: 数据平台, layer: cloud, ranges: [10.50.0.0/16]}
conduits:
  - {id: office-data, from: office, to: data, services: https, until: 2099-01-01}
  - {id: gone, from: office, to: data, services: ssh, until: 2020-01-01}
assets:
  - {id: db-01, name: 数据库一, kind: db, addresses: [10.50.0.9], macs: ["02:00:00:00:00:09"]}
"""
)


@pytest.fixture
def planned(database: Database) -> Database:
    with database.write() as session:
        service.import_plan(session, ACTOR, PLAN)
    return database


def test_what_was_imported_is_read_back(planned: Database) -> None:
    with planned.read() as session:
        plan = service.read(session)
        assert set(plan.zones) == set(PLAN.zones)
        assert set(plan.conduits) == set(PLAN.conduits)
        assert plan.assets == PLAN.assets
        assert {one.conduit.id: one.state for one in service.list_conduits(session)} == {
            "gone": "expired",
            "office-data": "in-force",
        }
        assert [asset.zone for asset in list_assets(session).assets] == ["data"]


def test_importing_again_changes_nothing_but_what_differs(planned: Database) -> None:
    with planned.write() as session:
        service.import_plan(session, ACTOR, PLAN)
        assert {record.version for record in service.list_zones(session)} == {1}
        smaller = msgspec.structs.replace(PLAN, conduits=PLAN.conduits[:1])
        assert service.import_plan(session, ACTOR, smaller, replace=True).removed == 1
        assert [one.conduit.id for one in service.list_conduits(session)] == ["office-data"]


def test_a_plan_that_would_not_be_sound_is_refused_whole(planned: Database) -> None:
    with pytest.raises(Invalid, match="there is no zone 'data'"), planned.write() as session:
        service.delete_zone(session, ACTOR, "data")
    with pytest.raises(Invalid, match="belongs to office already"), planned.write() as session:
        service.save_zone(session, ACTOR, Zone(id="twin", name="x", layer="cloud", ranges=("10.21.0.0/16",)))
    with pytest.raises(Invalid, match="no service"), planned.write() as session:
        service.save_conduit(session, ACTOR, Conduit(id="c", sources=("office",), targets=("data",), services=("nosuch",)))
    with planned.read() as session:
        assert [record.zone.id for record in service.list_zones(session)] == ["data", "office"]


def test_two_people_do_not_overwrite_each_other(planned: Database) -> None:
    changed = msgspec.structs.replace(PLAN.zones[0], importance=5)
    with planned.write() as session:
        assert service.save_zone(session, ACTOR, changed, expected_version=1).version == 2
    with pytest.raises(Conflict, match="changed by somebody else"), planned.write() as session:
        service.save_zone(session, ACTOR, changed, expected_version=1)
    with pytest.raises(Conflict, match="already"), planned.write() as session:
        service.save_zone(session, ACTOR, changed)
    with pytest.raises(NotFound), planned.write() as session:
        service.save_conduit(session, ACTOR, msgspec.structs.replace(PLAN.conduits[0], id="none"), expected_version=1)


def test_every_change_is_audited_with_before_and_after(planned: Database, alice: Principal) -> None:
    with planned.write() as session:
        service.save_zone(session, ACTOR, msgspec.structs.replace(PLAN.zones[0], owner="财政局"), expected_version=1)
        service.delete_conduit(session, ACTOR, "gone")
        entries = audit.listing(session, limit=3).entries
    assert [entry.action for entry in entries] == ["conduit.delete", "zone.change", "zone.import"]
    assert entries[1].detail == {"before": {"owner": ""}, "after": {"owner": "财政局"}}
    assert entries[0].detail["before"]["id"] == "gone"


def test_assets_follow_the_ranges_of_their_zone(planned: Database) -> None:
    with planned.write() as session:
        service.save_zone(session, ACTOR, Zone(id="vault", name="保险库", layer="cloud", ranges=("10.50.0.0/24",)))
    with planned.read() as session:
        assert list_assets(session, AssetFilter(zone="vault")).assets[0].key == "db-01"


def test_workers_see_a_change_at_once_and_no_file_is_written_without_one(planned: Database, tmp_path: Path) -> None:
    path = tmp_path / "zones.msgpack"
    publish, source = PlanPublisher(planned, path), ZoneSource(path)
    publish()
    assert source().zone_of("10.21.0.1") == "office"
    written = path.stat().st_mtime_ns
    publish()
    assert path.stat().st_mtime_ns == written
    with planned.write() as session:
        service.save_zone(session, ACTOR, Zone(id="new", name="新", layer="cloud", ranges=("10.77.0.0/16",)))
    publish()
    assert source().zone_of("10.77.0.1") == "new"
    with planned.read() as session:
        assert source.revision == "{}.{}".format(*current(session))
    path.unlink()
    publish()
    assert path.exists()
