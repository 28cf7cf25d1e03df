"""Addresses with a scope: an address is one, and a sender of ever new scopes fills no memory."""

from __future__ import annotations

import ipaddress
import tracemalloc
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given

from collectors.parsers.fields import clean_ip
from detectors.zones import ZoneDetector
from kernel.addresses import LONGEST_ADDRESS, without_scope
from kernel.event import conform, is_ip
from kernel.query.values import ip_hex
from kernel.zones.enrich import enrich
from kernel.zones.plan import read_plan
from kernel.zones.sightings import Inventory
from kernel.zones.table import ZoneTable

RECEIVED = 1_795_600_000_000_000
PLAN = """
zones:
  - {id: office, name: 办公网, layer: network, ranges: ["2001:db8:21::/48", 10.21.0.0/16]}
  - {id: data, name: 数据平台, layer: cloud, ranges: ["2001:db8:50::/48"]}
"""


@given(st.ip_addresses().map(str) | st.text(alphabet="0123456789abcdef:.%", max_size=60) | st.text(max_size=60))
def test_what_is_an_address_is_what_python_says_but_for_the_length_of_scopes(text: str) -> None:
    try:
        ipaddress.ip_address(text)
        known = True
    except ValueError:
        known = False
    scope = text.partition("%")[2]
    assert is_ip(text) == (known and len(scope) <= 32)
    if not is_ip(text):
        assert clean_ip(text) is None or text.strip("[] ") != text


@pytest.mark.parametrize(
    ("text", "bare"),
    [("fe80::1%eth0", "fe80::1"), ("10.0.0.1", "10.0.0.1"), ("fe80::1%" + "a" * 33, None), ("a" * (LONGEST_ADDRESS + 1), None)],
)
def test_without_scope(text: str, bare: str | None) -> None:
    assert without_scope(text) == bare


@pytest.mark.parametrize("letters", [20, 30_000])
def test_a_sender_of_ever_new_scopes_fills_no_memory(letters: int) -> None:
    table = ZoneTable(read_plan(PLAN))
    inventory, detector = Inventory(lambda: table), ZoneDetector(lambda: table)

    def send(count: int) -> int:
        for number in range(count):
            scope = f"{number}".ljust(letters, "a")
            event: dict[str, Any] = {
                "source.ip": f"2001:db8:21::5%{scope}",
                "destination.ip": "2001:db8:50::1",
                "event.id": str(number),
            }
            event["source.port"] = number
            conform(event, RECEIVED, {})
            enrich(event, table)
            inventory.sightings([event])
            detector.process([event])
            ip_hex(str(event.get("source.ip")))
            clean_ip(f"2001:db8:21::5%{scope}")
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        before = send(50)
        assert send(1000) - before < 500_000
    finally:
        tracemalloc.stop()


def test_an_address_with_a_long_scope_is_kept_as_a_label() -> None:
    counters: dict[str, int] = {}
    event = conform({"source.ip": "2001:db8:21::5%" + "a" * 60_000}, RECEIVED, counters)
    assert "source.ip" not in event
    assert event["labels.source_ip"].startswith("2001:db8:21::5%")
    assert counters == {"type_mismatch": 1}


def test_a_device_and_an_offender_are_one_whatever_the_scope() -> None:
    table = ZoneTable(read_plan(PLAN))
    inventory, detector = Inventory(lambda: table), ZoneDetector(lambda: table)
    seen, told = [], []
    for number, source in enumerate(("2001:db8:21::5%eth0", "2001:DB8:21:0::5%eth1", "2001:db8:21::5")):
        event = {"source.ip": source.lower(), "destination.ip": "2001:db8:50::1%2", "event.id": str(number)}
        conform(event, RECEIVED, {})
        enrich(event, table)
        assert event["zone.crossing"] == "office>data"
        seen += [one.address for one in inventory.sightings([event])]
        told += [detection.group["source.ip"] for detection in detector.process([event])]
    assert seen == ["2001:db8:21::5"]
    assert told[0] == "2001:db8:21::5"
