"""DHCP directly and through a relay, as Suricata sees it: whose network card it is, and what zones and inventory make of it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from collectors.parsers import PARSERS
from collectors.suricata import pcap_records
from detectors.zones import ZoneDetector
from kernel.pipeline import identify
from kernel.zones.enrich import enrich
from kernel.zones.plan import read_plan
from kernel.zones.sightings import Inventory, Sighting
from kernel.zones.table import ZoneTable

ROUTER, SERVER, PC = "02:4c:00:21:00:01", "02:4c:00:70:00:05", "aa:bb:cc:dd:ee:0f"
PLAN = """
zones:
  - {id: office, name: 办公网, layer: network, ranges: [10.21.0.0/16], admission: %s}
  - {id: servers, name: 服务器, layer: cloud, ranges: [10.70.0.0/16]}
assets:
  - {id: core-router, addresses: [10.21.0.1], macs: ["02:4c:00:21:00:01"]}
  - {id: dhcp-server, addresses: [10.70.0.5], macs: ["02:4c:00:70:00:05"]}
"""


def _message(source: tuple[str, str, int], target: tuple[str, str, int], op: int, kind: str, **fields: Any) -> Any:
    from scapy.all import BOOTP, DHCP, IP, UDP, Ether

    ends = Ether(src=source[0], dst=target[0]) / IP(src=source[1], dst=target[1]) / UDP(sport=source[2], dport=target[2])
    hardware = bytes.fromhex(PC.replace(":", "")) + bytes(10)
    options = [("message-type", kind), ("hostname", b"pc7"), "end"]
    return ends / BOOTP(op=op, xid=fields.pop("xid"), chaddr=hardware, **fields) / DHCP(options=options)


def _events(tmp_path: Path, *packets: Any) -> list[dict[str, Any]]:
    from scapy.all import wrpcap

    for second, packet in enumerate(packets):
        packet.time = 1_795_408_800 + second
    wrpcap(str(tmp_path / "c.pcap"), list(packets))
    reports: list[str] = []
    events: list[dict[str, Any]] = []
    for number, record in enumerate(pcap_records(tmp_path / "c.pcap", reports.append)):
        events += identify(record, number, PARSERS[record.format](record), {})
    assert reports == []
    return [event for event in events if event["event.dataset"] == "suricata.dhcp"]


def _judged(events: list[dict[str, Any]], admission: str = "open") -> tuple[list[str], dict[str, Sighting]]:
    table = ZoneTable(read_plan(PLAN % admission))
    for event in events:
        enrich(event, table)
    told = [detection.rule_id for detection in ZoneDetector(lambda: table).process(events)]
    return [rule for rule in told if "crossing" not in rule], {
        one.address: one for one in Inventory(lambda: table).sightings(events)
    }


needs_suricata = pytest.mark.skipif(shutil.which("suricata") is None, reason="suricata is not installed")
pytestmark = [needs_suricata, pytest.mark.suricata]


def _through_relay(tmp_path: Path) -> list[dict[str, Any]]:
    relay, server = (ROUTER, "10.21.0.1", 67), (SERVER, "10.70.0.5", 67)
    return _events(
        tmp_path,
        _message(relay, server, 1, "discover", xid=7, giaddr="10.21.0.1", hops=1),
        _message(server, relay, 2, "offer", xid=7, giaddr="10.21.0.1", yiaddr="10.21.3.7"),
    )


def test_the_card_of_a_relayed_client_is_not_the_relays(tmp_path: Path) -> None:
    request, reply = _through_relay(tmp_path)
    for event in (request, reply):
        assert event["host.mac"] == "AA-BB-CC-DD-EE-0F"
        assert {event.get("source.mac"), event.get("destination.mac")} <= {None, "02-4C-00-21-00-01", "02-4C-00-70-00-05"}
    told, seen = _judged([request, reply])
    assert told == []
    assert (seen["10.21.0.1"].mac, seen["10.21.0.1"].name) == ("", "")


def test_a_card_that_nobody_registered_is_told_through_a_relay_too(tmp_path: Path) -> None:
    events = _through_relay(tmp_path)
    assert _judged(events, admission="registered")[0] == ["zone-unknown-device"]


def test_the_card_of_a_client_that_asks_itself_is_its_own(tmp_path: Path) -> None:
    client, server = (PC, "10.21.3.7", 68), (ROUTER, "10.70.0.5", 67)
    events = _events(tmp_path, _message(client, server, 1, "request", xid=9, ciaddr="10.21.3.7"))
    told, seen = _judged(events)
    assert told == []
    assert (seen["10.21.3.7"].mac, seen["10.21.3.7"].name) == ("AA-BB-CC-DD-EE-0F", "pc7")
    stolen = _events(tmp_path, _message((PC, "10.21.0.1", 68), server, 1, "request", xid=9, ciaddr="10.21.0.1"))
    assert _judged(stolen)[0] == ["zone-address-conflict"]


def test_a_frame_that_a_router_forwards_does_not_name_the_router_as_client(tmp_path: Path) -> None:
    forwarded = (ROUTER, "10.21.3.7", 68)
    (event,) = _events(tmp_path, _message(forwarded, (SERVER, "10.70.0.5", 67), 1, "request", xid=9, ciaddr="10.21.3.7"))
    assert event["source.mac"] == "AA-BB-CC-DD-EE-0F"
