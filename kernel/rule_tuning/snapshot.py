"""The measures in force as a file: written by whoever owns the tables, read by workers, swapped atomically.

A file that cannot be read leaves the measures before it in force; without any file nothing is held back, so a fault here means more
alerts, never fewer.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import msgspec

from kernel.detection import Detection
from kernel.replaced_file import ReplacedFile
from kernel.rule_tuning.condition import Condition, Conditions


class Measure(msgspec.Struct, frozen=True):
    """What holds detections of one rule back: an exception, or without conditions the whole rule (it is off).

    expires_at  @timestamp text, "" = it does not end by itself
    by, reason, since  for people who look at the file (./liandun rules tuning)
    """

    id: int
    rule_id: str
    conditions: tuple[Condition, ...] = ()
    expires_at: str = ""
    by: str = ""
    reason: str = ""
    since: str = ""

    @property
    def is_off(self) -> bool:
        """True where the rule as a whole is switched off."""
        return not self.conditions


class Snapshot(msgspec.Struct):
    """``revision`` differs where the measures do."""

    revision: str = ""
    measures: list[Measure] = []


def write_snapshot(snapshot: Snapshot, path: Path) -> None:
    """Replace the file in one step. Raises OSError."""
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    temporary.write_bytes(msgspec.msgpack.encode(snapshot))
    temporary.replace(path)


def read_snapshot(path: Path) -> Snapshot:
    """What the file says; empty where there is none. Raises OSError, msgspec.DecodeError."""
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=Snapshot)
    except FileNotFoundError:
        return Snapshot()


class Tuning:
    """The measures of a snapshot, compiled."""

    def __init__(self, measures: Sequence[Measure] = ()) -> None:
        """Raises ValueError where a condition cannot be used."""
        self._by_rule: dict[str, list[tuple[Measure, Conditions | None]]] = {}
        for measure in measures:
            conditions = Conditions(measure.conditions) if measure.conditions else None
            self._by_rule.setdefault(measure.rule_id, []).append((measure, conditions))

    def __bool__(self) -> bool:
        return bool(self._by_rule)

    def holding(self, detection: Detection, now: str) -> Measure | None:
        """The measure that holds this detection back at ``now`` (@timestamp text), or None."""
        for measure, conditions in self._by_rule.get(detection.rule_id, ()):
            if measure.expires_at and measure.expires_at <= now:
                continue
            if conditions is None or conditions.hold(detection.event, detection.group):
                return measure
        return None


class TuningSource:
    """Calling it gives the measures in force, none while there is no file."""

    def __init__(self, path: Path) -> None:
        self._file = ReplacedFile(path, _read, (Tuning(), ""), "the rule tuning")

    def __call__(self) -> Tuning:
        """Those of the newest readable snapshot."""
        return self._file()[0]

    @property
    def revision(self) -> str:
        """Of the measures in force, "" = there are none."""
        return self._file.present[1]


def _read(path: Path) -> tuple[Tuning, str]:
    snapshot = read_snapshot(path)
    return Tuning(snapshot.measures), snapshot.revision
