"""detectors/suricata.py: an alert event in, a detection out."""

from __future__ import annotations

from typing import Any

import pytest

from detectors.suricata import SuricataDetector, detections

_ALERT: dict[str, Any] = {
    "@timestamp": "2026-11-22T00:00:00.000000Z",
    "event.id": "e1",
    "event.dataset": "suricata.alert",
    "event.severity": 1,
    "rule.id": "suricata:1:2024792",
    "rule.name": "ET CURRENT_EVENTS something",
    "rule.category": "A Network Trojan was detected",
    "url.original": "/evil",
    "suricata.eve.payload_printable": "GET /evil" + "x" * 5000,
}


def test_alert_becomes_a_detection_that_says_why() -> None:
    (found,) = detections(_ALERT)
    assert (found.rule_id, found.rule_name, found.engine) == ("suricata:1:2024792", "ET CURRENT_EVENTS something", "suricata")
    assert (found.level, found.time, found.event_ids) == ("high", "2026-11-22T00:00:00.000000Z", ["e1"])
    assert found.event is _ALERT
    assert [m.field for m in found.matched] == ["url.original", "suricata.eve.payload_printable"]
    assert all(len(m.value) <= 2000 for m in found.matched)
    assert detections(_ALERT)[0].id == found.id


@pytest.mark.parametrize(
    ("fields", "level"),
    [
        ({"event.severity": 1}, "high"),
        ({"event.severity": 2}, "medium"),
        ({"event.severity": 3}, "low"),
        ({"event.severity": 4}, "informational"),
        ({"event.severity": 255}, "informational"),
        ({"event.severity": 3, "suricata.eve.alert.metadata.signature_severity": ["Critical"]}, "critical"),
        ({"event.severity": 1, "suricata.eve.alert.metadata.signature_severity": "Informational"}, "informational"),
        ({"event.severity": 2, "suricata.eve.alert.metadata.signature_severity": ["Whatever"]}, "medium"),
    ],
)
def test_level(fields: dict[str, Any], level: str) -> None:
    assert detections(_ALERT | fields)[0].level == level


def test_tags_in_the_words_of_sigma() -> None:
    metadata = {
        "suricata.eve.alert.metadata.mitre_technique_id": ["T1059_001", "not a technique"],
        "suricata.eve.alert.metadata.mitre_tactic_name": ["Initial_Access"],
        "suricata.eve.alert.metadata.cve": ["CVE_2021_44228"],
    }
    assert detections(_ALERT | metadata)[0].tags == ["attack.t1059.001", "attack.initial-access", "cve.2021-44228"]


def test_other_events_are_none_of_its_business() -> None:
    other = [_ALERT | {"event.dataset": "suricata.http"}, {"event.dataset": "suricata.alert"}, {}]
    assert SuricataDetector().process(other) == []
    assert len(SuricataDetector().process([_ALERT, *other])) == 1
