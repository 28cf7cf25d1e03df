"""What senders may call their hosts: every text is written down somehow, and one that cannot be costs the others nothing."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy.exc import IntegrityError

from kernel.db import Database
from kernel.zones.sightings import Sighting
from operations.assets import inventory, listing
from operations.assets.inventory import record_sightings, record_singly
from operations.assets.schema import AssetRecord

TIME = "2026-11-25T12:00:00.000000Z"


def seen(**more: Any) -> Sighting:
    return Sighting(zone="office", first=TIME, last=TIME, **more)


def write(database: Database, *sightings: Sighting) -> int:
    with database.write() as session:
        return record_sightings(session, sightings)


def everything(database: Database) -> list[AssetRecord]:
    with database.read() as session:
        return listing.list_assets(session, sort="key", limit=500).assets


@pytest.mark.parametrize(
    ("name", "kept"),
    [("a\ud800b", "a\\ud800b"), ("nul\0x", "nul\\x00x"), ("莲" * 300, "莲" * 256), ("\ud800" * 300, ("\\ud800" * 300)[:256])],
)
def test_names_become_storable(database: Database, name: str, kept: str) -> None:
    assert write(database, seen(address="10.21.0.5", name=name, services=[f"tcp/22 {name}"])) == 1
    assert write(database, seen(name=name)) == 0, "the same device, by its name"
    (asset,) = everything(database)
    assert asset.names == [kept]
    assert asset.services == [f"tcp/22 {kept}"[:80]]


def test_keys_are_cut_and_told_apart(database: Database) -> None:
    names = ["x" * 200 + tail for tail in "abcd"]
    assert write(database, *(seen(name=name) for name in names)) == 4
    assert write(database, seen(address="10.21.0.5", mac="02-00-00-00-00-05", name="x" * 128)) == 1
    found = everything(database)
    assert len({asset.key for asset in found}) == 5
    assert max(len(asset.key) for asset in found) == 128


def test_what_is_no_card_and_no_device_is_not_written(database: Database) -> None:
    assert write(database, seen(address="10.21.0.5", mac="x" * 5000), seen(mac="02-00-00-00-00-05")) == 1
    assert everything(database)[0].macs == []


def test_an_address_is_one_device_with_and_without_scope(database: Database) -> None:
    assert write(database, seen(address="2001:db8:21::5%eth0"), seen(address="2001:db8:21::5%" + "7" * 30)) == 1
    assert everything(database)[0].addresses == ["2001:db8:21::5"]


texts = st.text(st.characters(exclude_categories=()), max_size=300)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.builds(seen, address=texts, mac=texts, name=texts, asset=texts, services=st.lists(texts, max_size=3)), max_size=4)
)
def test_any_text_is_written_down(database: Database, sightings: list[Sighting]) -> None:
    write(database, *sightings)
    known = len(everything(database))
    assert write(database, *sightings) == 0
    assert len(everything(database)) == known


def test_one_that_cannot_be_written_costs_the_others_nothing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    write(database, seen(address="10.21.0.1"))
    monkeypatch.setattr(inventory, "_free_key", lambda _session, one: "10.21.0.1" if one.address == "10.21.0.2" else one.address)
    batch = [seen(address=f"10.21.0.{n}") for n in range(1, 5)]
    with pytest.raises(IntegrityError):
        write(database, *batch)
    with database.write() as session:
        assert isinstance(record_singly(session, batch), IntegrityError)
    assert [asset.key for asset in everything(database)] == ["10.21.0.1", "10.21.0.3", "10.21.0.4"]
