"""Alerts of Suricata → detections. Suricata has matched already; this only says it in our words.

Severity is the rule's priority (1 is the most severe, Suricata user guide "Meta keywords"); ``signature_severity`` of the rule's
metadata, where its author gave one, is the better judgement and wins.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from kernel.detection import Detection, MatchedField, detection_id
from kernel.event import Event

_BY_PRIORITY = {1: "high", 2: "medium", 3: "low"}
_BY_NAME = {"critical": "critical", "major": "high", "high": "high", "medium": "medium", "minor": "low", "low": "low"}
_BY_NAME |= {"informational": "informational", "info": "informational"}

_METADATA = "suricata.eve.alert.metadata."
_TECHNIQUE = re.compile(r"^[Tt]\d{4}(?:[._]\d{3})?$")

_EVIDENCE = (
    # what the rule may have looked at, as far as EVE shows it
    "url.original",
    "http.request.method",
    "user_agent.original",
    "dns.question.name",
    "tls.client.server_name",
    "tls.client.ja3",
    "file.name",
    "suricata.eve.payload_printable",
)
_LONGEST_VALUE = 2000


def detections(event: Event) -> list[Detection]:
    """The detection of one ``suricata.alert`` event; [] for any other event."""
    rule_id = event.get("rule.id")
    if event.get("event.dataset") != "suricata.alert" or not isinstance(rule_id, str):
        return []
    event_id = str(event.get("event.id", ""))
    name = str(event.get("rule.name") or rule_id)
    matched = [
        MatchedField(field, str(event[field])[:_LONGEST_VALUE], pattern=name, selection="alert")
        for field in _EVIDENCE
        if event.get(field)
    ]
    return [
        Detection(
            id=detection_id(rule_id, [event_id]),
            rule_id=rule_id,
            rule_name=name,
            level=_level(event),
            engine="suricata",
            time=str(event.get("@timestamp", "")),
            event_ids=[event_id],
            event=event,
            tags=_tags(event),
            matched=matched,
            description=str(event.get("rule.category") or ""),
            references=_texts(event, "rule.reference"),
        )
    ]


class SuricataDetector:
    """:func:`detections` for a batch; keeps nothing between batches."""

    def process(self, events: Sequence[Event]) -> list[Detection]:
        return [detection for event in events for detection in detections(event)]

    def state(self) -> bytes:
        return b""

    def restore(self, state: bytes) -> None:
        """Nothing to restore."""


def _level(event: Event) -> str:
    for word in _texts(event, _METADATA + "signature_severity"):
        if word.lower() in _BY_NAME:
            return _BY_NAME[word.lower()]
    severity = event.get("event.severity")
    return _BY_PRIORITY.get(severity, "informational") if isinstance(severity, int) else "medium"


def _tags(event: Event) -> list[str]:
    """Sigma-style tags: ``attack.t1059.001``, ``attack.initial-access``, ``cve.2021-44228``."""
    tags = [f"attack.{t.replace('_', '.').lower()}" for t in _texts(event, _METADATA + "mitre_technique_id") if _TECHNIQUE.match(t)]
    tags += [f"attack.{t.replace('_', '-').replace(' ', '-').lower()}" for t in _texts(event, _METADATA + "mitre_tactic_name")]
    tags += [f"cve.{c.lower().removeprefix('cve').strip('-_').replace('_', '-')}" for c in _texts(event, _METADATA + "cve")]
    return list(dict.fromkeys(tags))


def _texts(event: Event, field: str) -> list[str]:
    value = event.get(field)
    if isinstance(value, str):
        return [value]
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
