"""The zone plan in the state database: checked as a whole, audited, versioned, published."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select

from kernel.db import Database
from kernel.zones.plan import Conduit, Draft, PlanError, Zone, ZonePlan, read_draft, read_plan
from kernel.zones.snapshot import ZoneSource
from kernel.zones.table import ZoneTable
from operations.accounts.schema import Principal
from operations.assets.listing import list_assets
from operations.assets.models import AssetMark
from operations.assets.register import register
from operations.assets.rows import marks_of
from operations.assets.schema import AssetFilter
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.audit.verify import verify
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


# --- parts, rehearsals, revisions -----------------------------------------------------------------------------------------------


def test_a_part_that_names_only_conduits_between_zones_that_stand_is_taken_in(planned: Database) -> None:
    part = read_draft("conduits:\n  - {id: new, from: office, to: data, services: ssh}\n", "part.yml")
    with planned.write() as session:
        done = service.import_plan(session, ACTOR, part)
        assert (done.made, done.changed, done.removed) == (1, 0, 0)
        assert service.get_conduit(session, "new").conduit.services == ("ssh",)
        assert len(service.list_zones(session)) == 2
    wrong = read_draft("\nconduits:\n  - {id: new, from: office, to: moon, services: ssh}\n", "part.yml")
    with pytest.raises(PlanError, match=r"part\.yml:3: conduit new: to: there is no zone 'moon'"), planned.write() as session:
        service.import_plan(session, ACTOR, wrong)


def test_an_import_tells_what_it_makes_changes_and_removes(planned: Database) -> None:
    changed = read_draft(
        "zones:\n  - {id: office, name: 办公网, layer: cloud, ranges: [10.21.0.0/16], importance: 5}\n"
        "  - {id: lab, name: 实验室, layer: network}\n"
        "assets: [{id: db-01, name: 数据库一, kind: db, addresses: [10.50.0.8]}]\n"
    )
    with pytest.raises(PlanError, match="there is no zone 'data'"):
        service.rehearse(planned, ACTOR, replace_conduits(changed), replace=True)
    done = service.rehearse(planned, ACTOR, changed, replace=True)
    assert [(one.act, one.kind, one.id, one.fields) for one in done.changes] == [
        ("remove", "zone", "data", ()),
        ("remove", "conduit", "gone", ()),
        ("remove", "conduit", "office-data", ()),
        ("change", "zone", "office", ("layer", "importance")),
        ("change", "asset", "db-01", ("addresses", "macs")),
        ("make", "zone", "lab", ()),
    ]
    assert (done.made, done.changed, done.removed) == (1, 2, 3)


def replace_conduits(draft: Draft) -> Draft:
    return msgspec.structs.replace(draft, plan=msgspec.structs.replace(draft.plan, conduits=PLAN.conduits[:1]))


def test_a_rehearsal_changes_nothing_at_all(planned: Database) -> None:
    def everything() -> list[object]:
        with planned.read() as session:
            return [service.read(session), current(session), audit.listing(session).entries, list_assets(session).assets]

    before = everything()
    assert service.rehearse(planned, ACTOR, ZonePlan(), replace=True).removed == 4
    assert everything() == before
    with planned.write() as session:
        assert verify(session).ok


def test_only_an_import_that_changes_something_moves_the_revision(planned: Database) -> None:
    with planned.write() as session:
        before = current(session)[0]
        done = service.import_plan(session, ACTOR, PLAN)
        assert (done.revision, done.changes) == (before, ())
        smaller = msgspec.structs.replace(PLAN, conduits=PLAN.conduits[:1])
        assert service.import_plan(session, ACTOR, smaller, replace=True).revision == before + 1 == current(session)[0]


def test_an_older_plan_does_not_go_over_what_somebody_changed_since(planned: Database) -> None:
    with planned.read() as session:
        old = current(session)[0]
    with planned.write() as session:
        service.save_zone(session, ACTOR, msgspec.structs.replace(PLAN.zones[0], owner="财政局"), expected_version=1)
    with pytest.raises(Conflict, match=f"from revision {old}, the one in force is {old + 1}"), planned.write() as session:
        service.import_plan(session, ACTOR, PLAN, since=old)
    with pytest.raises(Conflict):
        service.rehearse(planned, ACTOR, PLAN, since=old)
    with planned.write() as session:
        assert service.get_zone(session, "office").zone.owner == "财政局"
        service.import_plan(session, ACTOR, PLAN, since=old + 1)
        assert service.get_zone(session, "office").zone.owner == ""


def test_assets_taken_in_at_once_are_as_those_entered_one_by_one(planned: Database) -> None:
    text = "assets:\n" + "".join(
        f"  - {{id: cam-{n}, name: 摄像机, addresses: [10.50.{n}.1, 'fd00::{n}'], macs: ['02:00:00:00:01:{n:02x}']}}\n"
        for n in range(1, 41)
    )
    plan = read_plan(text)
    with planned.write() as session:
        table = ZoneTable(service.read(session))
        for asset in plan.assets[:20]:
            register(session, ACTOR, asset, table)
        service.import_plan(session, ACTOR, plan)
        listed = {one.key: one for one in list_assets(session, limit=100).assets}
        marks = dict(iter(session.execute(select(AssetMark.value, AssetMark.asset_id))))
    for asset in plan.assets:
        one = listed[asset.id]
        assert (one.zone, one.status, one.version, one.addresses, one.macs) == (
            "data", "registered", 1, list(asset.addresses), list(asset.macs),
        )  # fmt: skip
        assert {marks[value] for _, value in marks_of(asset.addresses, asset.macs, (asset.id,))} == {one.id}
    assert marks["摄像机"] == listed["cam-40"].id  # a name belongs to its newest owner


@pytest.mark.parametrize(
    "zone",
    [
        Zone(id="z", name="N" * 129, layer="cloud"),
        Zone(id="z", name="a\0b", layer="cloud"),
        Zone(id="z", name="\ud800", layer="cloud"),
        Zone(id="z", name="a", owner="\x1b[31m\u202e", layer="cloud"),
        Zone(id="z", name="a", layer="cloud", ranges=tuple(f"10.{n // 256}.{n % 256}.0/32" for n in range(2001))),
    ],
)
def test_no_way_in_takes_texts_that_are_too_long_or_cannot_be_shown(planned: Database, zone: Zone) -> None:
    for act in (
        lambda session: service.save_zone(session, ACTOR, zone),
        lambda session: service.import_plan(session, ACTOR, ZonePlan((zone,))),
    ):
        with pytest.raises(Invalid) as caught, planned.write() as session:
            act(session)
        assert caught.value.message.isprintable()
    conduit = Conduit(id="r", sources=("office",), targets=("data",), services=("any",), reason="R" * 2001)
    with pytest.raises(Invalid, match="reason: 'RRR"), planned.write() as session:
        service.save_conduit(session, ACTOR, conduit)
