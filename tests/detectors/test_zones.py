"""Zone policy as detections: each rule fires on its case, stays silent on the nearest harmless one, and does not repeat itself."""

from __future__ import annotations

from typing import Any

import pytest

from detectors.rule_lint import ATTACK_LIST
from detectors.zones import RULES, ZoneDetector
from kernel.detection import Detection
from kernel.zones.enrich import enrich
from kernel.zones.plan import read_plan
from kernel.zones.table import ZoneTable

PLAN = """
zones:
  - {id: office, name: 办公网, layer: network, ranges: [10.21.0.0/16, "2001:db8:21::/48"]}
  - id: water-ot
    name: 水务控制网
    layer: perception
    importance: 5
    ranges: [10.60.0.0/16, "2001:db8:60::/48"]
    sensors: [sensor-water-01]
    internet: forbidden
    admission: registered
  - {id: data, name: 数据平台, layer: cloud, importance: 4, ranges: [10.50.0.0/16, "2001:db8:50::/48"]}
  - {id: lab, name: 实验网, layer: cloud, importance: 1, ranges: [10.51.0.0/16]}
conduits:
  - {id: office-data, from: office, to: [data, internet], services: [https, ssh]}
  - {id: old, from: data, to: water-ot, services: [modbus], until: 2026-01-01}
assets:
  - {id: wtr-hmi-01, addresses: [10.60.0.10, "2001:db8:60::10"], macs: ["02:4c:00:60:00:10"]}
  - {id: wtr-plc-01, addresses: [10.60.0.101], macs: ["02:4c:00:60:00:65"]}
  - {id: wtr-cam-01, addresses: [10.60.0.120]}
"""


@pytest.fixture
def table() -> ZoneTable:
    return ZoneTable(read_plan(PLAN))


_number = 0


def found(table: ZoneTable, *events: dict[str, Any]) -> list[Detection]:
    global _number
    detector = ZoneDetector(lambda: table)
    detections: list[Detection] = []
    for fields in events:
        _number += 1
        event = {"@timestamp": "2026-11-25T12:00:00.000000Z", "event.id": f"{_number:032x}"} | fields
        enrich(event, table)
        detections += detector.process([event])
    return detections


def flow(source: str, destination: str, port: int, **more: Any) -> dict[str, Any]:
    return {
        "event.dataset": "suricata.flow",
        "source.ip": source,
        "source.port": 50000,
        "destination.ip": destination,
        "destination.port": port,
        "client.ip": source,
        "client.port": 50000,
        "network.transport": "tcp",
    } | {name.replace("__", "."): value for name, value in more.items()}


@pytest.mark.parametrize(
    ("event", "rule", "level"),
    [
        (flow("10.21.0.5", "10.50.0.1", 5432), "zone-crossing-denied", "medium"),
        (flow("10.21.0.5", "10.51.0.1", 5432), "zone-crossing-denied", "low"),
        (flow("10.21.0.5", "10.60.0.101", 502), "zone-crossing-denied", "high"),
        (flow("2001:db8:21::5", "2001:db8:60::10", 502), "zone-crossing-denied", "high"),
        (flow("10.50.0.1", "10.60.0.101", 502), "zone-conduit-expired", "high"),
        (flow("10.21.0.5", "10.60.0.101", 22), "zone-management-access", "critical"),
        (flow("203.0.113.9", "10.50.0.1", 3389), "zone-management-access", "high"),
        (flow("10.60.0.10", "203.0.113.9", 443), "zone-illegal-outbound", "critical"),
        (flow("2001:db8:60::10", "2001:db8:ffff::1", 443), "zone-illegal-outbound", "critical"),
        (flow("2001:db8:60::10", "64:ff9b::8.8.8.8", 443), "zone-illegal-outbound", "critical"),
        (flow("10.60.0.10", "240.0.0.1", 137), "zone-crossing-denied", "low"),
        (flow("2001:db8:60::10", "fec0::1", 53), "zone-crossing-denied", "low"),
        (flow("10.21.0.5", "64:ff9b::10.60.0.101", 502), "zone-crossing-denied", "high"),
        (flow("10.60.0.77", "10.60.0.101", 502), "zone-unknown-device", "critical"),
        (flow("2001:db8:60::77", "2001:db8:60::10", 502), "zone-unknown-device", "critical"),
        (flow("192.168.7.9", "10.21.0.5", 443, event__type=["denied"]), "zone-undeclared-network", "low"),
        (flow("192.168.7.9", "192.168.7.1", 443, observer__name="sensor-water-01"), "zone-unknown-device", "critical"),
        (flow("10.21.0.5", "10.50.0.1", 5432, event__type=["connection", "denied"]), "zone-crossing-denied", "low"),
    ],
)
def test_fires(table: ZoneTable, event: dict[str, Any], rule: str, level: str) -> None:
    detections = {detection.rule_id: detection for detection in found(table, event)}
    assert rule in detections
    if event["source.ip"] != "192.168.7.9":
        assert set(detections) == {rule}
    detection = detections[rule]
    assert detection.level == level
    assert detection.engine == "zone"
    assert detection.group
    assert any(one.field == "source.ip" for one in detection.matched)


@pytest.mark.parametrize(
    "event",
    [
        flow("10.21.0.5", "10.50.0.1", 443),
        flow("10.21.0.5", "10.50.0.1", 22),
        flow("10.21.0.5", "203.0.113.9", 443),
        flow("10.60.0.10", "10.60.0.101", 502),
        flow("10.21.0.5", "10.21.0.6", 445),
        flow("203.0.113.9", "10.50.0.1", 3389, event__type=["connection", "denied"]),  # the Internet knocks at a closed door
        flow("10.60.0.10", "224.0.0.251", 5353),
        {"event.dataset": "suricata.stats"},
        # the PLC's answer to the HMI
        flow("10.60.0.101", "10.60.0.10", 50000, client__ip="10.60.0.10"),
        # asking an address that does not answer does not make a device of it
        flow("10.60.0.10", "10.60.0.200", 502),
    ],
)
def test_stays_silent(table: ZoneTable, event: dict[str, Any]) -> None:
    assert found(table, event) == []


def dhcp(mac: str, address: str = "0.0.0.0") -> dict[str, Any]:
    return {"event.dataset": "suricata.dhcp", "source.mac": mac, "source.ip": address, "observer.name": "sensor-water-01"}


def test_a_network_card_that_nobody_registered(table: ZoneTable) -> None:
    (detection,) = found(table, dhcp("02-DE-AD-00-00-01"))
    assert (detection.rule_id, detection.group["device"]) == ("zone-unknown-device", "02-DE-AD-00-00-01")
    assert found(table, dhcp("02-4C-00-60-00-65")) == []


def test_a_registered_address_with_another_card(table: ZoneTable) -> None:
    (detection,) = found(table, dhcp("02-DE-AD-00-00-01", "10.60.0.101"))
    assert detection.rule_id == "zone-address-conflict"
    assert found(table, dhcp("02-4C-00-60-00-65", "10.60.0.101")) == []


@pytest.mark.parametrize("address", ["10.60.0.101", "::ffff:10.60.0.101", "10.60.0.120"])
@pytest.mark.parametrize("dataset", ["suricata.arp", "suricata.dhcp"])
def test_a_registered_device_that_takes_the_address_of_another(table: ZoneTable, dataset: str, address: str) -> None:
    """ARP spoofing from the HMI: that its own card is registered does not make the PLC's address its own."""
    (detection,) = found(table, dhcp("02-4C-00-60-00-10", address) | {"event.dataset": dataset})
    assert (detection.rule_id, detection.group["mac"]) == ("zone-address-conflict", "02-4C-00-60-00-10")


@pytest.mark.parametrize("address", ["10.60.0.10", "10.60.0.77", "2001:db8:60::10", "10.21.0.5", "0.0.0.0"])
def test_a_registered_card_at_its_own_or_a_free_address(table: ZoneTable, address: str) -> None:
    assert found(table, dhcp("02-4C-00-60-00-10", address)) == []


def test_a_strange_card_where_no_card_is_registered(table: ZoneTable) -> None:
    assert found(table, dhcp("02-DE-AD-00-00-01", "10.60.0.120")) == []


def test_a_stream_of_flows_is_told_once_a_minute(table: ZoneTable) -> None:
    events = [
        flow("10.21.0.5", "10.60.0.101", 502) | {"@timestamp": f"2026-11-25T12:{second // 60:02d}:{second % 60:02d}.000000Z"}
        for second in range(0, 150, 5)
    ]
    assert [detection.time[14:19] for detection in found(table, *events)] == ["00:00", "01:00", "02:00"]


def test_the_memory_survives_a_restart(table: ZoneTable) -> None:
    event = {"@timestamp": "2026-11-25T12:00:00.000000Z", "event.id": "a"} | flow("10.21.0.5", "10.60.0.101", 502)
    enrich(event, table)
    first = ZoneDetector(lambda: table)
    assert len(first.process([event])) == 1
    second = ZoneDetector(lambda: table)
    second.restore(first.state())
    assert second.process([event]) == []
    with pytest.raises(ValueError, match="cannot be read"):
        second.restore(b"\xc1")


def test_rules_speak_both_languages_and_have_valid_tags() -> None:
    lines = [line for line in ATTACK_LIST.read_text("utf-8").splitlines() if not line.startswith("#")]
    known = {f"attack.{word}" for line in lines for word in line.split()}
    for rule in RULES.values():
        assert rule.name.isascii()
        assert not rule.name_zh.isascii()
        assert set(rule.tags) <= known
