"""Ends of traffic that a sender describes oddly: nothing that is sent may keep traffic from being judged."""

from __future__ import annotations

import json
from typing import Any

import pytest

from collectors.parsers import PARSERS
from detectors.zones import ZoneDetector
from kernel.pipeline import identify
from kernel.record import RawRecord
from kernel.zones.enrich import NOT_CROSSINGS, enrich
from kernel.zones.plan import read_plan
from kernel.zones.table import ZoneTable

TIME = "2026-11-25T12:00:00.000000Z"
TABLE = ZoneTable(
    read_plan(
        """
zones:
  - {id: office, name: 办公网, layer: network, ranges: [10.21.0.0/16, "2001:db8:21::/48"], vlans: [21]}
  - {id: water-ot, name: 水务控制网, layer: perception, importance: 5, ranges: [10.60.0.0/16], internet: forbidden}
  - {id: data, name: 数据平台, layer: cloud, ranges: [10.50.0.0/16]}
conduits:
  - {id: office-data, from: office, to: data, services: [https]}
"""
    )
)


def enriched(**fields: Any) -> dict[str, Any]:
    event = {"@timestamp": TIME, "event.id": "x"} | {name.replace("__", "."): value for name, value in fields.items()}
    enrich(event, TABLE)
    return event


@pytest.mark.parametrize("source", ["10.21.0.5", ["10.21.0.5"], ["fe80::1", "10.21.0.5"], ["127.0.0.1", "2001:db8:21::5"]])
@pytest.mark.parametrize(
    "destination", ["10.60.0.101", ["10.60.0.101"], ["10.50.0.1", "10.60.0.101"], ["10.21.0.9", "10.60.0.101"]]
)
def test_a_list_of_addresses_is_judged_by_its_worst_pair(source: Any, destination: Any) -> None:
    event = enriched(source__ip=source, destination__ip=destination, destination__port=443, network__transport="tcp")
    assert (event["zone.crossing"], event["zone.verdict"]) == ("office>water-ot", "denied")
    assert event["destination.ip"] == "10.60.0.101"
    assert isinstance(event["source.ip"], str)
    assert "zone-crossing-denied" in [detection.rule_id for detection in ZoneDetector(lambda: TABLE).process([event])]
    for named in (source, destination):
        if isinstance(named, list):
            assert set(named) <= set(event["related.ip"])


def test_a_list_in_which_nothing_is_wrong_keeps_its_first_host() -> None:
    event = enriched(
        source__ip=["::1", "10.21.0.5", "10.21.0.6"], destination__ip=["10.50.0.1", "10.50.0.2"], destination__port=443
    )
    assert (event["source.ip"], event["destination.ip"], event["zone.verdict"]) == ("10.21.0.5", "10.50.0.1", "permitted")
    assert event["related.ip"] == ["::1", "10.21.0.5", "10.21.0.6", "10.50.0.1", "10.50.0.2"]
    assert enriched(source__ip=["::1"])["source.ip"] == "::1"
    assert "source.ip" not in enriched(source__ip=[], related__ip="10.21.0.5")


def test_a_list_of_vlans_tells_the_zone_too() -> None:
    assert enriched(source__ip="fe80::5", network__vlan__id=["7", "21"])["source.zone"] == "office"


@pytest.mark.parametrize(
    "dataset", ["evil.stats", "x.fileinfo", "my.bastion", "zeek.file_stored", ["suricata.fileinfo"], "suricata.stats"]
)
def test_a_dataset_that_a_sender_chooses_hides_nothing(dataset: Any) -> None:
    event = enriched(event__dataset=dataset, source__ip="10.21.0.5", destination__ip="10.60.0.101", destination__port=502)
    assert event["zone.verdict"] == "denied"


@pytest.mark.parametrize("dataset", sorted(NOT_CROSSINGS))
def test_datasets_without_traffic_of_their_own_cannot_be_claimed(dataset: str) -> None:
    assert "zone.verdict" not in enriched(event__dataset=dataset, source__ip="10.21.0.5", destination__ip="10.60.0.101")
    sent = {"event": {"dataset": dataset, "kind": "event"}, "source": {"ip": ["10.21.0.5"]}, "destination": {"ip": "10.60.0.101"}}
    record = RawRecord(raw=json.dumps(sent).encode(), received=1_795_600_000_000_000, source="s", format="json", origin="x")
    (event,) = identify(record, 1, PARSERS["json"](record), {})
    enrich(event, TABLE)
    assert (event["event.dataset"], event["labels.claimed_dataset"]) == ("generic.json", dataset)
    assert event["zone.verdict"] == "denied"
