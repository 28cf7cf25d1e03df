"""The register and the inventory: what was seen becomes an asset, what is registered stays what a person said it is."""

from __future__ import annotations

from typing import Any

import pytest

from kernel.db import Database
from kernel.zones.enrich import enrich
from kernel.zones.plan import Asset, read_plan
from kernel.zones.sightings import Inventory, Sighting
from kernel.zones.table import ZoneTable
from operations.assets import inventory, listing, register
from operations.assets.inventory import record_sightings
from operations.assets.schema import AssetFilter, AssetRecord
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.errors import Conflict, Invalid, NotFound
from operations.software import service as software
from operations.software.schema import Entry
from operations.zones.revision import current

ACTOR = Actor("alice", "192.0.2.1")
TABLE = ZoneTable(
    read_plan(
        """
zones:
  - {id: office, name: 办公网, layer: network, ranges: [10.21.0.0/16, "2001:db8:21::/48"]}
  - {id: data, name: 数据平台, layer: cloud, ranges: [10.50.0.0/16]}
"""
    )
)


def seen(address: str = "", minute: int = 0, **more: Any) -> Sighting:
    time = f"2026-11-25T12:{minute:02d}:00.000000Z"
    return Sighting(zone=more.pop("zone", "office"), first=time, last=time, address=address, **more)


def only(database: Database, **where: str) -> AssetRecord:
    with database.read() as session:
        (asset,) = listing.list_assets(session, AssetFilter(**where)).assets
    return asset


def write(database: Database, *sightings: Sighting) -> int:
    with database.write() as session:
        return record_sightings(session, sightings)


def test_a_device_is_made_once_and_what_is_seen_adds_up(database: Database) -> None:
    assert write(database, seen("10.21.0.5", 1, services=["tcp/22 ssh"])) == 1
    assert write(database, seen("10.21.0.5", 3, name="FIN-WS-05", services=["tcp/445 smb"])) == 0
    assert write(database, seen("10.21.0.5", 2)) == 0
    asset = only(database)
    assert (asset.key, asset.status, asset.zone, asset.names) == ("10.21.0.5", "observed", "office", ["FIN-WS-05"])
    assert asset.services == ["tcp/22 ssh", "tcp/445 smb"]
    assert (asset.first_seen[14:16], asset.last_seen[14:16]) == ("01", "03")


def test_writing_the_same_batch_twice_changes_nothing(database: Database) -> None:
    batch = [seen("10.21.0.5", 1, mac="02-00-00-00-00-05"), seen("2001:db8:21::5", 1, mac="02-00-00-00-00-05"), seen(name="srv-1")]
    write(database, *batch)
    with database.read() as session:
        before = listing.list_assets(session, sort="key").assets, current(session)
    write(database, *batch)
    with database.read() as session:
        assert (listing.list_assets(session, sort="key").assets, current(session)) == before
    assert [asset.key for asset in before[0]] == ["10.21.0.5", "srv-1"]  # one card, two addresses: one device
    assert before[0][0].addresses == ["10.21.0.5", "2001:db8:21::5"]


def test_ipv6_is_the_same_device_however_it_is_written(database: Database) -> None:
    write(database, seen("2001:db8:21::5"))
    assert write(database, seen("2001:0DB8:0021:0::0005")) == 0


def test_a_registered_device_is_what_a_person_said(database: Database) -> None:
    write(database, seen("10.21.0.5", 1, name="seen-before", services=["tcp/22 ssh"]))
    with database.write() as session:
        asset = Asset(id="fin-ws-05", name="财务五号", kind="workstation", addresses=("10.21.0.5",), bureau="财政局")
        register.register(session, ACTOR, asset, TABLE)
    write(database, seen("10.21.0.5", 9, mac="02-00-00-00-00-99", services=["tcp/445 smb"]))
    asset = only(database)
    assert (asset.key, asset.status, asset.zone, asset.macs) == ("fin-ws-05", "registered", "office", [])
    assert asset.services == ["tcp/22 ssh", "tcp/445 smb"]
    assert asset.names == ["seen-before"]
    assert (asset.first_seen[14:16], asset.last_seen[14:16]) == ("01", "09")


def test_a_card_seen_at_a_registered_address_does_not_become_that_device(database: Database) -> None:
    with database.write() as session:
        router = Asset(id="core-router", addresses=("10.21.0.1",), macs=("02-4C-00-21-00-01",))
        register.register(session, ACTOR, router, TABLE)
    assert write(database, seen("10.21.0.1", 1, asset="core-router", mac="AA-BB-CC-DD-EE-FF")) == 0
    assert write(database, seen("10.21.3.7", 2, mac="AA-BB-CC-DD-EE-FF", name="pc7")) == 1
    stranger, router_seen = only(database, status="observed"), only(database, status="registered")
    assert (stranger.key, stranger.macs, stranger.names) == ("10.21.3.7", ["AA-BB-CC-DD-EE-FF"], ["pc7"])
    assert (router_seen.addresses, router_seen.macs, router_seen.names) == (["10.21.0.1"], ["02-4C-00-21-00-01"], [])


def test_an_address_of_a_registered_device_cannot_be_given_away(database: Database) -> None:
    with database.write() as session:
        register.register(session, ACTOR, Asset(id="a", addresses=("10.21.0.5",)), TABLE)
    with pytest.raises(Conflict, match="belongs to a"), database.write() as session:
        register.register(session, ACTOR, Asset(id="b", addresses=("10.21.0.5",)), TABLE)
    with pytest.raises(Conflict, match="already"), database.write() as session:
        register.register(session, ACTOR, Asset(id="a"), TABLE)
    with pytest.raises(Conflict, match="somebody else"), database.write() as session:
        register.register(session, ACTOR, Asset(id="a"), TABLE, expected_version=7)
    with pytest.raises(Invalid, match="is no address"), database.write() as session:
        register.register(session, ACTOR, Asset(id="c", addresses=("nonsense",)), TABLE)
    with pytest.raises(Invalid, match="1 to 128 characters"), database.write() as session:
        register.register(session, ACTOR, Asset(id=" "), TABLE)


def test_retiring_and_forgetting(database: Database) -> None:
    write(database, seen("10.21.0.5"))
    with database.write() as session:
        register.register(session, ACTOR, Asset(id="a", addresses=("10.21.0.9",)), TABLE)
        assert [asset.id for asset in register.registered(session)] == ["a"]
        assert list(register.observed(session).values()) == ["10.21.0.5"]
    with pytest.raises(Invalid, match="retire it first"), database.write() as session:
        register.forget(session, ACTOR, "a")
    with database.write() as session:
        register.set_status(session, ACTOR, "a", "retired", note="报废")
        assert register.registered(session) == []
        register.forget(session, ACTOR, "10.21.0.5")
        actions = [entry.action for entry in audit.listing(session, limit=3).entries]
    assert actions == ["asset.forget", "asset.retired", "asset.register"]
    assert only(database).note == "报废"
    with pytest.raises(NotFound), database.read() as session:
        register.get(session, "10.21.0.5")
    assert write(database, seen("10.21.0.5")) == 1  # it comes back when it is seen again


def test_the_software_of_a_device_that_was_seen_stays_when_it_is_registered(database: Database) -> None:
    write(database, seen("10.21.0.5"), seen("10.21.0.6"))
    with database.write() as session:
        for key in ("10.21.0.5", "10.21.0.6"):
            software.add(session, ACTOR, key, Entry(vendor="OpenBSD", product="OpenSSH", release="9.6"))
        software.add(session, ACTOR, "10.21.0.6", Entry(product="nginx", release="1.25.3"))
        register.register(session, ACTOR, Asset(id="gate", addresses=("10.21.0.5", "10.21.0.6")), TABLE)
    with database.read() as session:
        assert sorted((one.product, one.release) for one in software.of_asset(session, "gate")) == [
            ("OpenSSH", "9.6"),
            ("nginx", "1.25.3"),
        ]
        assert [one.key for one in listing.list_assets(session).assets] == ["gate"]


def test_a_sender_of_invented_addresses_cannot_fill_the_database(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory, "MAX_OBSERVED_PER_ZONE", 5)
    for number in range(20):
        write(database, seen(f"10.21.1.{number}"))
    write(database, seen("10.50.0.1", zone="data"))
    with database.read() as session:
        assert listing.count_assets(session) == 6
        assert listing.facets(session)["zone"] == {"office": 5, "data": 1}


@pytest.mark.parametrize("sort", ["last_seen", "-last_seen", "key", "-key", "importance", "kind"])
def test_pages_meet_without_gap_or_overlap(database: Database, sort: str) -> None:
    write(database, *(seen(f"10.21.0.{n}", n // 4) for n in range(30)))
    found: list[str] = []
    with database.read() as session:
        everything = [asset.key for asset in listing.list_assets(session, sort=sort, limit=500).assets]
        cursor = ""
        while True:
            page = listing.list_assets(session, sort=sort, limit=7, cursor=cursor)
            found += [asset.key for asset in page.assets]
            cursor = page.cursor
            if not cursor:
                break
    assert found == everything
    assert len(set(found)) == 30


def test_filters_and_bad_questions(database: Database) -> None:
    write(database, seen("10.21.0.5", name="Drucker_100%"), seen("10.21.0.6", name="other"))
    assert only(database, text="DRUCKER_100%").key == "10.21.0.5"
    with database.read() as session:
        assert listing.list_assets(session, AssetFilter(text="drucker%100")).assets == []
        assert listing.of_address(session, "::ffff:10.21.0.6") is not None
        for arguments in ({"sort": "colour"}, {"cursor": "x"}):
            with pytest.raises(Invalid):
                listing.list_assets(session, **arguments)


def events(*fields: dict[str, Any]) -> list[dict[str, Any]]:
    made = []
    for number, one in enumerate(fields):
        event = {"@timestamp": f"2026-11-25T12:00:{number:02d}.000000Z", "event.id": str(number)} | one
        enrich(event, TABLE)
        made.append(event)
    return made


def test_sightings_of_events() -> None:
    found = {
        one.address or one.name: one
        for one in Inventory(lambda: TABLE).sightings(
            events(
                {
                    "event.dataset": "suricata.flow",
                    "source.ip": "10.21.0.5",
                    "destination.ip": "10.50.0.9",
                    "destination.port": 5432,
                    "destination.bytes": 900,
                    "network.transport": "tcp",
                    "network.protocol": "pgsql",
                    "client.ip": "10.21.0.5",
                },
                {"source.ip": "10.21.0.5", "destination.ip": "10.50.0.10", "destination.port": 22, "client.ip": "10.21.0.5"},
                {"source.ip": "203.0.113.9", "destination.ip": "192.168.9.9", "destination.port": 22, "destination.bytes": 3},
                {
                    "event.dataset": "suricata.dhcp",
                    "source.ip": "10.21.0.7",
                    "source.mac": "02-aa-00-00-00-07",
                    "host.hostname": "pad",
                },
                {"host.name": "data-node-01", "host.ip": ["127.0.0.1", "10.50.0.41"]},
            )
        )
    }
    assert set(found) == {"10.21.0.5", "10.50.0.9", "10.21.0.7", "10.50.0.41"}
    assert found["10.50.0.9"].services == ["tcp/5432 pgsql"]
    assert (found["10.21.0.7"].mac, found["10.21.0.7"].name) == ("02-AA-00-00-00-07", "pad")
    assert found["10.50.0.41"].name == "data-node-01"
    assert (found["10.21.0.5"].first[17:19], found["10.21.0.5"].last[17:19]) == ("00", "01")


def test_nothing_is_told_twice_within_a_minute() -> None:
    inventory_ = Inventory(lambda: TABLE)
    event = {"source.ip": "10.21.0.5"}
    assert len(inventory_.sightings(events(event))) == 1
    assert inventory_.sightings(events(event, event)) == []
    later = {"source.ip": "10.21.0.5", "source.zone": "office", "@timestamp": "2026-11-25T12:01:00.000000Z"}
    assert len(inventory_.sightings([later])) == 1
    assert len(inventory_.sightings(events({"host.name": "x", "host.ip": "10.21.0.5"}))) == 1  # a name is news


@pytest.mark.parametrize(
    "asset", [Asset(id="a\nb"), Asset(id="a", name="x" * 257), Asset(id="a", bureau="\x1b[31m"), Asset(id="\ud800")]
)
def test_a_device_has_no_texts_that_are_too_long_or_cannot_be_shown(database: Database, asset: Asset) -> None:
    with pytest.raises(Invalid) as caught, database.write() as session:
        register.register(session, ACTOR, asset, TABLE)
    assert caught.value.message.isprintable()
