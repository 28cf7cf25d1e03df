"""Zones as Suricata's address groups: the zone table and Suricata itself are the judges."""

from __future__ import annotations

import ipaddress
import json
import random
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.suricata import pcap_records
from collectors.suricata.config import SensorSettings, render_config
from collectors.suricata.networks import Networks, address_groups, layer_variable, zone_variable
from collectors.suricata.zone_roles import networks_of
from kernel.zones import Asset, Conduit, Zone, ZonePlan, ZoneTable
from tests.collectors.conversations import MACS

needs_suricata = pytest.mark.skipif(shutil.which("suricata") is None, reason="suricata is not installed")


def _zone(name: str, *ranges: str, layer: str = "perception") -> Zone:
    return Zone(id=name, name=name, layer=layer, ranges=ranges)


def _resolve(groups: dict[str, str], name: str) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """All prefixes of a group, through its parts."""
    found = []
    for part in groups[name].strip("[]").split(","):
        found += _resolve(groups, part[1:]) if part.startswith("$") else [ipaddress.ip_network(part)]
    return found


def _in(address: str, groups: dict[str, str], name: str) -> bool:
    one = ipaddress.ip_address(address)
    return any(one in prefix for prefix in _resolve(groups, name) if prefix.version == one.version)


def _prefixes() -> st.SearchStrategy[str]:
    v4 = st.tuples(st.integers(0, 2**16 - 1), st.integers(16, 32)).map(
        lambda p: str(ipaddress.ip_network((0x0A000000 + p[0] * 0x100, p[1]), strict=False))
    )
    v6 = st.tuples(st.integers(0, 2**12 - 1), st.integers(36, 64)).map(
        lambda p: str(ipaddress.ip_network(((0x20010DB8 << 96) + (p[0] << 84), p[1]), strict=False))
    )
    return v4 | v6


@settings(deadline=None, max_examples=80)
@given(st.lists(st.lists(_prefixes(), min_size=1, max_size=6), min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_a_zone_group_holds_exactly_the_addresses_of_its_zone(ranges: list[list[str]], dice: random.Random) -> None:
    seen: set[str] = set()
    zones = []
    for number, texts in enumerate(ranges):
        fresh = tuple(text for text in dict.fromkeys(texts) if text not in seen)
        seen.update(fresh)
        zones.append(_zone(f"z-{number}", *fresh))
    plan = ZonePlan(tuple(zones))
    table, groups = ZoneTable(plan), address_groups(networks_of(plan))
    edges = [network[edge] for text in seen for network in [ipaddress.ip_network(text)] for edge in (0, -1)]
    for address in map(str, [*edges, *(edge + dice.choice((-1, 1)) for edge in edges)]):
        owner = table.zone_of(address)
        for zone in plan.zones:
            variable = zone_variable(zone.id)
            assert (variable in groups and _in(address, groups, variable)) == (owner == zone.id), (address, zone, owner)
        if owner in table.zones:
            assert _in(address, groups, "HOME_NET")
            assert _in(address, groups, layer_variable("perception"))


def test_without_a_plan_the_private_and_link_local_networks_are_home() -> None:
    groups = address_groups(Networks())
    assert all(_in(one, groups, "HOME_NET") for one in ("10.9.9.9", "100.64.0.1", "fd12::1", "fe80::1", "169.254.1.1"))
    assert not any(_in(one, groups, "HOME_NET") for one in ("8.8.8.8", "2001:db8::1", "172.32.0.1"))
    assert groups["MODBUS_SERVER"] == groups["HTTP_SERVERS"] == "$HOME_NET"


def test_configured_networks_come_beside_those_of_the_plan() -> None:
    groups = address_groups(networks_of(ZonePlan((_zone("a", "10.1.0.0/16"),)), home=["198.51.100.0/24"]))
    assert _in("198.51.100.7", groups, "HOME_NET")
    assert _in("10.1.2.3", groups, "HOME_NET")
    assert not _in("10.2.2.3", groups, "HOME_NET"), "private, but in no zone: the plan decides"


def test_servers_and_clients_come_from_conduits_and_registered_devices() -> None:
    zones = (
        _zone("water-ot", "10.60.0.0/16", "2001:db8:60::/48"),
        _zone("traffic-iot", "10.61.0.0/16"),
        _zone("scada", "10.70.0.0/24", layer="operations"),
        _zone("office", "10.80.0.0/16", layer="network"),
        _zone("dmz", "10.90.0.0/24", layer="citizen"),
    )
    conduits = (
        Conduit(id="poll", sources=("scada",), targets=("water-ot",), services=("tcp/500-510",)),
        Conduit(id="portal", sources=("internet",), targets=("dmz",), services=("https",)),
        Conduit(id="admin", sources=("*",), targets=("scada",), services=("any",)),
    )
    assets = (Asset(id="rtu-1", kind="rtu", addresses=("10.61.0.9",)),)
    groups = address_groups(networks_of(ZonePlan(zones, conduits, assets)))

    def zones_of(name: str) -> set[str]:
        return {zone.id for zone in zones if _in(zone.ranges[0].split("/")[0], groups, name)}

    assert zones_of("MODBUS_SERVER") == {"water-ot", "traffic-iot", "scada"}, "scada: anything may be there"
    assert _in("2001:db8:60::1", groups, "MODBUS_SERVER")
    assert zones_of("DNP3_SERVER") == {"traffic-iot", "scada"}
    assert zones_of("HTTP_SERVERS") == {"dmz", "scada"}
    assert groups["SMTP_SERVERS"] == "$HOME_NET"
    without_any = address_groups(networks_of(ZonePlan(zones, conduits[:2], assets)))
    assert not any(_in("10.80.0.1", without_any, name) for name in ("MODBUS_CLIENT", "MODBUS_SERVER"))
    assert _in("10.70.0.1", without_any, "MODBUS_CLIENT")


def _large_plan() -> ZonePlan:
    """900 ranges that do not merge, in 30 zones, two of them inside others."""
    zones = [
        _zone(f"zone-{n}", *(f"10.{n}.{i * 8}.0/22" for i in range(15)), *(f"2001:db8:{n:x}:{i * 2:x}::/64" for i in range(15)))
        for n in range(28)
    ]
    zones += [_zone("inner-four", "10.3.8.128/25", layer="cloud"), _zone("inner-six", "2001:db8:3:4:8000::/65", layer="cloud")]
    return ZonePlan(tuple(zones))


@needs_suricata
@pytest.mark.suricata
def test_suricata_takes_hundreds_of_ranges_and_agrees_with_the_zone_table(tmp_path: Path) -> None:
    from scapy.all import IP, UDP, Ether, IPv6, wrpcap

    plan = _large_plan()
    table, networks = ZoneTable(plan), networks_of(plan)
    addresses = ["10.3.8.1", "10.3.8.200", "10.27.112.9", "10.27.116.9", "10.200.0.1", "198.51.100.1", "10.0.0.255"]
    addresses += ["2001:db8:3:4::1", "2001:db8:3:4:8000::1", "2001:db8:1b:1c::7", "2001:db8:1b:1d::7", "2001:4860::1", "fe80::9"]
    packets = []
    for port, address in enumerate(addresses, 20001):
        network, target = (IPv6, "2001:db8:ffff::1") if ":" in address else (IP, "203.0.113.1")
        packets.append(Ether(**MACS) / network(src=address, dst=target) / UDP(sport=port, dport=9) / b"x")
    wrpcap(str(tmp_path / "c.pcap"), packets)
    names = ["HOME_NET", "EXTERNAL_NET", "LAYER_PERCEPTION", "LAYER_CLOUD", *(zone_variable(zone.id) for zone in plan.zones)]
    rules = [f'alert udp ${name} any -> any any (msg:"{name}"; sid:{sid};)' for sid, name in enumerate(names, 1)]
    (tmp_path / "zones.rules").write_text("\n".join(rules))
    reports: list[str] = []
    fired: dict[str, set[str]] = {address: set() for address in addresses}
    for record in pcap_records(tmp_path / "c.pcap", reports.append, rules=[tmp_path / "zones.rules"], networks=networks):
        event = json.loads(record.raw)
        if event["event_type"] == "alert":
            fired[str(ipaddress.ip_address(event["src_ip"]))].add(event["alert"]["signature"])
    assert reports == []
    for address in addresses:
        zone = table.zone_of(address)
        wanted = {"HOME_NET"} if zone in table.zones or address == "fe80::9" else {"EXTERNAL_NET"}
        if zone in table.zones:
            wanted |= {zone_variable(zone), layer_variable(table.layer(zone))}
        assert fired[address] == wanted, address


@needs_suricata
@pytest.mark.suricata
def test_the_whole_configuration_of_a_large_plan_passes_suricatas_own_test(tmp_path: Path) -> None:
    config = tmp_path / "suricata.yaml"
    text = render_config(SensorSettings(log_dir=tmp_path, networks=networks_of(_large_plan()), name="mirror", interfaces=("lo",)))
    config.write_text(text)
    done = subprocess.run(["suricata", "-T", "-c", str(config), "-l", str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not re.search(r"^(Error|Warning)", done.stdout + done.stderr, re.MULTILINE)
    assert max(map(len, re.findall(r"\[[^\]]*\]", text))) < 8196


@pytest.mark.parametrize(
    "ranges",
    [
        ["0.0.0.0/0"],
        ["::/0"],
        ["0.0.0.0/0", "::/0"],
        ["0.0.0.0/1", "128.0.0.0/1"],
        ["::/1", "8000::/1"],
        ["::ffff:0:0/96"],
        ["::ffff:10.9.0.0/112"],
        ["10.9.0.0/16"],
    ],
)
@needs_suricata
@pytest.mark.suricata
def test_suricata_starts_whatever_the_zones_cover(tmp_path: Path, ranges: list[str]) -> None:
    from scapy.all import IP, UDP, Ether, wrpcap

    plan = ZonePlan((_zone("wide", *ranges),))
    networks = networks_of(plan)
    config = tmp_path / "suricata.yaml"
    config.write_text(render_config(SensorSettings(log_dir=tmp_path, networks=networks, name="mirror", interfaces=("lo",))))
    done = subprocess.run(["suricata", "-T", "-c", str(config), "-l", str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not re.search(r"^(Error|Warning)", done.stdout + done.stderr, re.MULTILINE)
    packet = Ether(**MACS) / IP(src="10.9.1.1", dst="10.9.1.2") / UDP(sport=20001, dport=9) / b"x"
    wrpcap(str(tmp_path / "c.pcap"), [packet])
    names = ("HOME_NET", "EXTERNAL_NET", "ZONE_WIDE")
    lines = [f'alert udp ${name} any -> any any (msg:"{name}"; sid:{sid};)' for sid, name in enumerate(names, 1)]
    (tmp_path / "z.rules").write_text("\n".join(lines))
    reports: list[str] = []
    records = list(pcap_records(tmp_path / "c.pcap", reports.append, rules=[tmp_path / "z.rules"], networks=networks))
    fired = {
        event["alert"]["signature"] for event in map(json.loads, (one.raw for one in records)) if event["event_type"] == "alert"
    }
    assert reports == []
    inside = {"HOME_NET", "ZONE_WIDE"} if ZoneTable(plan).zone_of("10.9.1.1") == "wide" else set()
    outside = {"EXTERNAL_NET"} if ranges not in (["::ffff:10.9.0.0/112"], ["10.9.0.0/16"]) else set()
    assert fired == inside | outside
