"""Objects: by hand, from the inventory, out and in again."""

from __future__ import annotations

from typing import Any

import pytest

from compliance.catalogue.load import requirements
from compliance.systems import objects
from compliance.systems.kinds import KINDS, OF_ASSETS
from compliance.systems.schema import ObjectDraft, ObjectFilter, ObjectRecord
from kernel.zones.plan import Asset
from operations.assets import register
from operations.audit.schema import Actor
from operations.errors import Conflict, Invalid, NotFound, Stale
from operations.zones import service as zones
from tests.compliance.systems.test_systems import make
from tests.operations.organisations_city import TRAFFIC, WATER, City

ASSETS = (
    Asset(id="wtr-plc-01", name="一号泵站 PLC", kind="plc", addresses=("10.60.0.101",)),
    Asset(id="wtr-his-01", name="历史库", kind="historian", addresses=("10.60.0.102",)),
    Asset(id="wtr-his-02", name="历史库", kind="historian", addresses=("10.60.0.103",)),
    Asset(id="wtr-sw-01", kind="switch", addresses=("10.61.0.1",)),
    Asset(id="wtr-odd-01", kind="turbine", addresses=("10.60.0.104",)),
    Asset(id="trf-sig-01", kind="signal", addresses=("10.51.0.7",)),
)


@pytest.fixture
def inventory(city: City) -> City:
    with city.database.write() as session:
        register.register_many(session, Actor("plan"), ASSETS, zones.zone_table(session))
    return city


def add(city: City, system: int, kind: str, name: str = "", by: str = "planner", **more: Any) -> ObjectRecord:
    who, database = city.as_(by)
    with database.write() as session:
        return objects.add_object(session, who, system, ObjectDraft(kind, name, **more))


def test_every_kind_of_the_catalogue_has_a_name_and_every_mapping_a_kind() -> None:
    used = {kind for placed in requirements().placed() for kind in placed.item.objects}
    assert used == set(KINDS)
    assert {kind for kinds in OF_ASSETS.values() for kind in kinds} <= set(KINDS)


def test_by_hand_and_linked_to_an_asset(inventory: City) -> None:
    system = make(inventory, organisation=WATER)
    room, plc = (
        add(inventory, system.id, "room", "一号机房", importance=4),
        add(inventory, system.id, "ics_controller", asset="wtr-plc-01"),
    )
    assert (room.asset, room.reason, room.importance) == ("", "entered by planner", 4)
    assert (plc.name, plc.reason) == ("一号泵站 PLC", "asset wtr-plc-01 of the inventory, by planner")
    with pytest.raises(Conflict, match="already"):
        add(inventory, system.id, "room", " 一号机房 ")
    for wrong in ({"kind": "desk", "name": "x"}, {"kind": "room"}, {"kind": "room", "name": "x", "asset": "none"}):
        with pytest.raises(Invalid):
            add(inventory, system.id, **wrong)
    with pytest.raises(Invalid):
        add(inventory, system.id, "room", "x", importance=6)


def test_the_inventory_is_taken_over_and_what_is_unknown_is_named(inventory: City) -> None:
    system = make(inventory, organisation=WATER, zones=("water-ot", "water-office"))
    who, database = inventory.as_("planner")
    with database.write() as session:
        done = objects.take_over_assets(session, who, system.id)
    assert (done.made, done.known, done.unknown) == (6, 0, {"wtr-odd-01": "turbine"})
    with database.read() as session:
        found = {(one.kind, one.name) for one in objects.list_objects(session, system.id).objects}
        assert objects.count_kinds(session, system.id) == {"database": 2, "ics_controller": 1, "network_device": 1, "server_os": 2}
    assert found == {
        ("ics_controller", "一号泵站 PLC"), ("server_os", "历史库"), ("database", "历史库"), ("server_os", "历史库 (wtr-his-02)"),
        ("database", "历史库 (wtr-his-02)"), ("network_device", "wtr-sw-01"),
    }  # fmt: skip
    with database.write() as session:
        assert objects.take_over_assets(session, who, system.id).known == 6


def test_out_and_in_again(city: City) -> None:
    system = make(city)
    one = add(city, system.id, "terminal", "运维终端")
    who, database = city.as_("planner")
    with pytest.raises(Invalid), database.write() as session:
        objects.take_out(session, who, system.id, one.id, " ", expected_version=one.version)
    with pytest.raises(Stale), database.write() as session:
        objects.take_out(session, who, system.id, one.id, "报废", expected_version=7)
    with database.write() as session:
        gone = objects.take_out(session, who, system.id, one.id, "报废", expected_version=one.version)
    assert gone.removed_at
    with database.read() as session:
        assert objects.list_objects(session, system.id).objects == []
        assert [o.id for o in objects.list_objects(session, system.id, ObjectFilter(removed=True)).objects] == [one.id]
    back = add(city, system.id, "terminal", "运维终端")
    assert (back.id, back.removed_at) == (one.id, None)


def test_changes_and_pages(city: City) -> None:
    system = make(city)
    made = [add(city, system.id, "terminal", f"终端 {number}") for number in range(3)]
    who, database = city.as_("planner")
    with database.write() as session:
        draft = ObjectDraft("terminal", "终端 A", importance=2, note="值班室")
        changed = objects.change_object(session, who, system.id, made[0].id, draft, expected_version=1)
    assert (changed.name, changed.note, changed.version) == ("终端 A", "值班室", 2)
    with pytest.raises(Conflict), database.write() as session:
        objects.change_object(session, who, system.id, made[0].id, ObjectDraft("terminal", "终端 1"), expected_version=2)
    with pytest.raises(Invalid), database.write() as session:
        objects.change_object(session, who, system.id, made[0].id, ObjectDraft("room", "x"), expected_version=2)
    with database.read() as session:
        first = objects.list_objects(session, system.id, limit=2)
        second = objects.list_objects(session, system.id, limit=2, cursor=first.cursor)
        assert [one.id for one in (*first.objects, *second.objects)] == [one.id for one in made]
        assert second.cursor == ""
        assert [one.id for one in objects.list_objects(session, system.id, ObjectFilter(text="终端 a")).objects] == [made[0].id]
        with pytest.raises(Invalid):
            objects.list_objects(session, system.id, cursor="x")


def test_objects_of_another_organisation_are_not_there(city: City) -> None:
    system = make(city, organisation=TRAFFIC)
    one = add(city, system.id, "terminal", "终端")
    _who, database = city.as_("water")
    with database.read() as session:
        for call in (lambda: objects.list_objects(session, system.id), lambda: objects.get_object(session, system.id, one.id)):
            with pytest.raises(NotFound):
                call()
    own = make(city, "自己的", organisation=WATER)
    with database.read() as session, pytest.raises(NotFound):
        objects.get_object(session, own.id, one.id)


def test_names_with_capital_letters_of_any_alphabet_are_found(city: City) -> None:
    system = make(city)
    made = add(city, system.id, "terminal", "ＨＭＩ Ö1")
    with city.database.read() as session:
        for text in ("ＨＭＩ", "Ö1", "ＨＭＩ Ö1"):
            assert [one.id for one in objects.list_objects(session, system.id, ObjectFilter(text=text)).objects] == [made.id]
