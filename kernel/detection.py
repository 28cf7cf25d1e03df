"""The detection: a plain record that says which rule fired on which event, and why."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec

from kernel.event import Event

LEVELS: tuple[str, ...] = ("informational", "low", "medium", "high", "critical")
"""Sigma's rule levels, lowest first."""


def level_rank(level: str) -> int:
    """0 (informational) … 4 (critical); an unknown word counts as informational."""
    return LEVELS.index(level) if level in LEVELS else 0


class MatchedField(msgspec.Struct, frozen=True):
    """One reason why a rule fired.

    field     field of the event, e.g. ``process.command_line``
    value     its value, as text
    pattern   what the rule asked for, as written in it, e.g. ``*\\\\lsass.exe``
    selection name of the search identifier in the rule, e.g. ``selection_img``
    """

    field: str
    value: str
    pattern: str = ""
    selection: str = ""


class Detection(msgspec.Struct):
    """A rule fired. ``id`` is deterministic, so a batch that is processed twice yields the same detections."""

    id: str
    rule_id: str
    rule_name: str
    level: str
    engine: str  # sigma | correlation | suricata | yara | zone | intel | search | inbound
    time: str  # @timestamp of the (last) event
    event_ids: list[str]
    event: Event  # the triggering event, whole (for a correlation: the last one)
    tags: list[str] = []
    matched: list[MatchedField] = []
    description: str = ""
    author: str = ""  # DRL 1.1: goes with every alert that a rule raises
    references: list[str] = []
    falsepositives: list[str] = []
    rule_file: str = ""
    group: dict[str, str] = {}  # group-by values of a correlation


def detection_id(rule_id: str, event_ids: Sequence[str]) -> str:
    """32 hex digits from the rule and its events."""
    digest = hashlib.blake2b(rule_id.encode(), digest_size=16)
    for event_id in event_ids:
        digest.update(b"\0" + event_id.encode())
    return digest.hexdigest()
