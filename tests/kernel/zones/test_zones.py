"""Zones: which zone an address has, what the plan says of a crossing, and what events are told of it."""

from __future__ import annotations

import ipaddress
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from kernel.zones.enrich import enrich
from kernel.zones.plan import Asset, Conduit, PlanError, Zone, ZonePlan, read_plan, write_plan
from kernel.zones.services import SERVICES, port_ranges, service_name
from kernel.zones.snapshot import Snapshot, ZoneSource, write_snapshot
from kernel.zones.table import ZoneTable

TIME = "2026-11-25T12:00:00.000000Z"

PLAN = """
zones:
  - {id: office, name: 办公网, layer: network, owner: 财政局, ranges: [10.21.0.0/16, "2001:db8:21::/48"], vlans: [21]}
  - {id: vip, name: 领导席位, layer: network, ranges: 10.21.9.0/24, importance: 4}
  - id: water-ot
    name: 水务控制网
    layer: perception
    importance: 5
    ranges: [10.60.0.0/16, 2001:db8:60::/48]
    sensors: [sensor-water-01]
    internet: forbidden
    admission: registered
  - {id: data, name: 数据平台, layer: cloud, ranges: [10.50.0.0/16, 2001:db8:50::/48]}
conduits:
  - {id: office-data, from: office, to: data, services: [https, tcp/9000-9010], reason: 报表, until: 2027-01-01}
  - {id: old, from: [office], to: [water-ot], services: [ssh], until: 2026-01-01T00:00:00+08:00}
  - {id: dns, from: "*", to: data, services: dns}
assets:
  - {id: wtr-plc-01, kind: plc, addresses: [10.60.0.101], macs: ["02:4c:00:60:00:65"]}
"""


@pytest.fixture
def table() -> ZoneTable:
    return ZoneTable(read_plan(PLAN))


@pytest.mark.parametrize(
    ("address", "zone"),
    [
        ("10.21.3.4", "office"),
        ("10.21.9.4", "vip"),
        ("10.21.10.0", "office"),
        ("::ffff:10.21.9.4", "vip"),
        ("2001:db8:21::5", "office"),
        ("2001:0DB8:0060:0:0:0:0:1", "water-ot"),
        ("10.99.0.1", "unknown"),
        ("fd00::1", "unknown"),
        ("203.0.113.7", "internet"),
        ("2001:db8:99::1", "internet"),
        ("127.0.0.1", ""),
        ("fe80::1%eth0", ""),
        ("239.1.1.1", ""),
        ("ff02::1", ""),
        ("0.0.0.0", ""),
        ("no address", ""),
        ("64:ff9b::8.8.8.8", "internet"),
        ("64:ff9b::808:808", "internet"),
        ("64:ff9b::10.60.0.101", "water-ot"),
        ("64:ff9b::a3c:65", "water-ot"),
        ("64:ff9b::10.99.0.1", "unknown"),
        ("64:ff9b::127.0.0.1", ""),
        ("64:ff9b:1::8.8.8.8", "internet"),  # another prefix (RFC 8215): no embedded address is read from it
        ("::ffff:240.0.0.1", "unknown"),
        ("240.0.0.1", "unknown"),
        ("255.255.255.254", "unknown"),
        ("255.255.255.255", ""),
        ("fec0::1", "unknown"),
        ("feff::1", "unknown"),
    ],
)
def test_zone_of_an_address(table: ZoneTable, address: str, zone: str) -> None:
    assert table.zone_of(address) == zone


networks = st.builds(
    lambda base, length: str(ipaddress.ip_network((base, length), strict=False)), st.integers(0, 2**32 - 1), st.integers(0, 32)
) | st.builds(
    lambda base, length: str(ipaddress.ip_network((base, length), strict=False)), st.integers(0, 2**128 - 1), st.integers(8, 128)
)


@settings(max_examples=200, deadline=None)
@given(ranges=st.lists(networks, min_size=1, max_size=12, unique=True), probe=st.data())
def test_the_narrowest_range_decides(ranges: list[str], probe: Any) -> None:
    """Oracle: look at every range with the standard library."""
    table = ZoneTable(ZonePlan(tuple(Zone(id=f"z{n}", name="z", layer="cloud", ranges=(r,)) for n, r in enumerate(ranges))))
    network = ipaddress.ip_network(probe.draw(st.sampled_from(ranges)))
    address = probe.draw(st.sampled_from([network[0], network[-1], network[network.num_addresses // 2]]))
    holding = [(ipaddress.ip_network(r).prefixlen, n) for n, r in enumerate(ranges) if address in ipaddress.ip_network(r)]
    mapped = address.version == 6 and address.ipv4_mapped is not None
    if not mapped and not any(ipaddress.ip_network(r).overlaps(ipaddress.ip_network("::ffff:0:0/96")) for r in ranges if ":" in r):
        assert table.zone_of(str(address)) == f"z{max(holding)[1]}"


@pytest.mark.parametrize(
    ("source", "target", "transport", "port", "expected"),
    [
        ("office", "data", "tcp", 443, ("permitted", "office-data", "https")),
        ("office", "data", "tcp", 9005, ("permitted", "office-data", "tcp/9005")),
        ("office", "data", "udp", 9005, ("denied", "", "udp/9005")),
        ("office", "water-ot", "tcp", 22, ("expired", "old", "ssh")),
        ("vip", "data", "udp", 53, ("permitted", "dns", "dns")),
        ("internet", "data", "udp", 53, ("denied", "", "dns")),
        ("unknown", "data", "udp", 53, ("denied", "", "dns")),
        ("data", "office", "tcp", 443, ("denied", "", "https")),
    ],
)
def test_verdict(table: ZoneTable, source: str, target: str, transport: str, port: int, expected: tuple[str, str, str]) -> None:
    verdict = table.verdict(source, target, transport, port, TIME)
    assert (verdict.verdict, verdict.conduit, verdict.service) == expected


def test_a_conduit_holds_in_its_time_only(table: ZoneTable) -> None:
    assert table.verdict("office", "water-ot", "tcp", 22, "2025-12-31T15:59:59.999999Z").verdict == "permitted"
    assert table.verdict("office", "water-ot", "tcp", 22, "2025-12-31T16:00:00.000000Z").verdict == "expired"


def enriched(table: ZoneTable, **fields: Any) -> dict[str, Any]:
    event = {"@timestamp": TIME, "event.id": "x"} | {name.replace("__", "."): value for name, value in fields.items()}
    enrich(event, table)
    return event


def test_an_event_is_told_zones_assets_and_verdict(table: ZoneTable) -> None:
    event = enriched(
        table,
        source__ip="2001:db8:21::7",
        destination__ip="10.60.0.101",
        destination__port=502,
        network__transport="tcp",
        client__ip="2001:db8:21::7",
    )
    added = {key: value for key, value in event.items() if "zone" in key or "asset" in key}
    assert added == {
        "source.zone": "office",
        "destination.zone": "water-ot",
        "destination.asset.id": "wtr-plc-01",
        "zone.crossing": "office>water-ot",
        "zone.verdict": "denied",
        "zone.service": "modbus",
        "zone.source_layer": "network",
        "zone.destination_layer": "perception",
    }


def test_an_answer_is_judged_by_who_asked(table: ZoneTable) -> None:
    event = enriched(
        table,
        source__ip="10.50.0.1",
        source__port=443,
        destination__ip="10.21.0.5",
        destination__port=50123,
        client__ip="10.21.0.5",
        client__port=50123,
    )
    assert (event["zone.crossing"], event["zone.verdict"]) == ("office>data", "permitted")


def test_a_flow_without_direction_may_be_an_answer(table: ZoneTable) -> None:
    answer = {"source__ip": "10.50.0.1", "source__port": 443, "destination__ip": "10.21.0.5", "destination__port": 50123}
    assert enriched(table, **answer)["zone.verdict"] == "permitted"
    assert enriched(table, **answer, client__ip="10.50.0.1")["zone.verdict"] == "denied"
    # a server port as source does not open the way to lower ports
    assert enriched(table, **{**answer, "destination__port": 22})["zone.verdict"] == "denied"


def test_vlan_and_sensor_tell_the_zone_of_what_has_no_address_of_its_own(table: ZoneTable) -> None:
    assert enriched(table, source__ip="fe80::5", network__vlan__id="21")["source.zone"] == "office"
    assert enriched(table, source__ip="0.0.0.0", observer__name="SENSOR-water-01")["source.zone"] == "water-ot"
    assert "source.zone" not in enriched(table, source__ip="fe80::5")


def test_host_zone_from_address_or_register(table: ZoneTable) -> None:
    assert enriched(table, host__ip=["127.0.0.1", "10.21.9.1"])["host.zone"] == "vip"
    event = enriched(table, host__name="WTR-PLC-01.water.example")
    assert (event["host.zone"], event["host.asset.id"]) == ("water-ot", "wtr-plc-01")


def test_plan_survives_writing_and_reading() -> None:
    plan = read_plan(PLAN)
    assert read_plan(write_plan(plan)) == plan
    assert plan.assets[0].macs == ("02-4C-00-60-00-65",)
    assert plan.conduits[0].until == "2027-01-01T00:00:00.000000Z"


_TWO = "zones:\n - {id: a, name: x, layer: cloud, "
_B = "id: b, name: y, layer: cloud"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("zones: [{id: A, name: x, layer: cloud}]", ":1: zone A: use lower-case"),
        ("zones:\n  - {id: a, name: x, layer: sky}", ":2: zone a: there is no layer 'sky'"),
        ("zones:\n  - {id: a, name: x, layer: cloud, ranges: [10.0.0.1/8]}", "has host bits set"),
        ("zones:\n  - {id: a, name: x, layer: cloud, colour: red}", ":2: zone a: Object contains unknown field `colour`"),
        ("zones:\n  - {id: a, name: x, layer: cloud, importance: 9}", "importance 9: 1 to 5"),
        ("zones:\n  - {id: internet, name: x, layer: cloud}", "built in"),
        ("conduits:\n  - {id: c, from: a, to: b, services: [https]}", "there is no zone 'a'"),
        (
            "zones: [{id: a, name: x, layer: cloud}]\nconduits:\n  - {id: c, from: a, to: a, services: [nosuch]}",
            ":3: conduit c: 'nosuch'",
        ),
        (
            "zones: [{id: a, name: x, layer: cloud, internet: forbidden}]\n"
            "conduits: [{id: c, from: a, to: internet, services: any}]",
            "no conduit may lead from it to the Internet",
        ),
        ("assets: [{id: x, addresses: [1.1.1.1]}, {id: y, addresses: [1.1.1.1]}]", "belongs to x already"),
        ("assets: [{id: x, macs: [zz]}]", "is no MAC address"),
        (f"{_TWO}vlans: [5, 21]}}\n - {{{_B}, vlans: [7, 21]}}", "plan.yml:3: zone b: VLAN 21 belongs to a already"),
        (f"{_TWO}sensors: [tap-1]}}\n - {{{_B}, sensors: [TAP-1]}}", "plan.yml:3: zone b: sensor TAP-1 stands in a already"),
        (
            f"{_TWO}ranges: [10.0.0.0/16]}}\n - {{{_B}, ranges: ['::ffff:10.0.0.0/112']}}",
            "plan.yml:3: zone b: range ::ffff:10.0.0.0/112 belongs to a already",
        ),
        (
            f"{_TWO}ranges: ['64:ff9b::/96']}}",
            ":2: zone a: range 64:ff9b::/96 is of NAT64 (RFC 6052): write the IPv4 range",
        ),
        (
            "assets:\n - {id: x, addresses: [10.0.0.1]}\n - {id: y, addresses: ['::ffff:10.0.0.1']}",
            "plan.yml:3: asset y: address ::ffff:10.0.0.1 belongs to x already",
        ),
        (
            "assets:\n - {id: x, addresses: ['64:ff9b::a00:1']}",
            ":2: asset x: address 64:ff9b::a00:1 is of NAT64 (RFC 6052): write 10",
        ),
        ("assets: [{id: x, addresses: ['fe80::1%" + "a" * 33 + "']}]", "is no address"),
        ("zones: []\nassets: []\nzones: []", "plan.yml:3: 'zones' is written twice"),
        (f"{_TWO}ranges: [10.0.0.0/16],\n    ranges: [10.1.0.0/16]}}", "plan.yml:3: 'ranges' is written twice"),
        ("zones: {a: b}", "zones must be a list"),
        ("[1, 2]", "must have the parts"),
        ("zones: [", "no YAML"),
        ("a: [b]", "unknown part 'a'"),
    ],
)
def test_mistakes_are_told_with_their_place(text: str, message: str) -> None:
    with pytest.raises(PlanError) as caught:
        read_plan(text, "plan.yml")
    assert message in str(caught.value)


def test_what_stands_twice_in_one_zone_is_no_mistake() -> None:
    assert read_plan("zones: [{id: a, name: x, layer: cloud, vlans: [5, 5], sensors: [s, S]}]").zone("a") is not None


def test_every_named_service_can_be_read_and_is_found_again() -> None:
    for name in SERVICES:
        assert port_ranges(name)
    assert service_name("tcp", 22) == "ssh"
    assert service_name("udp", 4000) == "udp/4000"
    assert service_name("icmp", 0) == "icmp"
    with pytest.raises(ValueError, match="names no ports"):
        port_ranges("tcp/9-1")


def test_snapshot_is_taken_up_when_replaced_and_kept_when_broken(tmp_path: Any) -> None:
    path = tmp_path / "zones.msgpack"
    source = ZoneSource(path)
    assert source().zone_of("10.1.1.1") == "unknown"
    plan = read_plan(PLAN)
    write_snapshot(
        Snapshot("1", list(plan.zones), list(plan.conduits), list(plan.assets), {"0" * 20 + "ffff0a150007": "seen"}), path
    )
    assert source().zone_of("10.21.0.1") == "office"
    assert source().asset_of("10.21.0.7") == "seen"
    path.write_bytes(b"broken")
    assert source().zone_of("10.21.0.1") == "office"
    assert source.revision == "1"


def test_asset_and_conduit_without_zone_are_data_only() -> None:
    table = ZoneTable(
        ZonePlan(
            assets=(Asset(id="a", addresses=("2001:db8::1",), importance=4),),
            conduits=(Conduit(id="c", sources=("*",), targets=("*",), services=("any",)),),
        )
    )
    assert table.asset_of("2001:0db8::0001") == "a"
    assert table.importance("internet", "a") == 4
    assert table.verdict("internet", "unknown", "tcp", 1, TIME).verdict == "denied"


def test_a_login_that_a_host_writes_down_is_a_crossing_to_that_host(table: ZoneTable) -> None:
    event = enriched(table, source__ip="10.21.0.9", host__name="wtr-plc-01", network__protocol="ssh")
    assert (event["zone.crossing"], event["zone.service"], event["zone.verdict"]) == ("office>water-ot", "ssh", "expired")
    assert "zone.crossing" not in enriched(table, source__ip="10.21.0.9", host__name="wtr-plc-01")


def test_what_a_sender_claims_is_not_believed(table: ZoneTable) -> None:
    claimed = {"zone__verdict": "permitted", "zone__crossing": "a>b", "source__zone": "data", "host__asset__id": "x"}
    event = enriched(table, source__ip="10.21.0.5", **claimed)
    assert event["source.zone"] == "office"
    assert not {"zone.verdict", "zone.crossing", "host.asset.id"} & set(event)
