"""Records of the duty room as other rooms see them."""

from __future__ import annotations

import msgspec

from operations.duty.shifts import Shift


class Place(msgspec.Struct, frozen=True):
    """Somebody's place in the roster; ``shown`` is the display name."""

    id: int
    day: str
    shift: str
    rank: int
    name: str
    shown: str
    start_at: str
    end_at: str


class Wish(msgspec.Struct, frozen=True):
    """A place to be filled. ``line`` of the sheet it comes from, 0 = none."""

    day: str
    shift: str
    rank: int
    name: str
    line: int = 0


class Gap(msgspec.Struct, frozen=True):
    """When nobody is on duty."""

    start_at: str
    end_at: str


class Roster(msgspec.Struct, frozen=True):
    """``revision`` is the version of the whole roster."""

    revision: int
    shifts: list[Shift]
    proposed: bool
    places: list[Place]
    gaps: list[Gap]


class OnDuty(msgspec.Struct, frozen=True):
    """Now and next: places in the order in which they are called."""

    now: list[Place]
    coming: list[Place]


class HandoverRecord(msgspec.Struct, frozen=True):
    """A hand-over note. ``counts``: what was open, by name."""

    id: int
    day: str
    shift: str
    note: str
    counts: dict[str, int]
    written_by: str
    written_at: str
    accepted_by: str | None
    accepted_at: str | None
    remark: str
    accepted_counts: dict[str, int]
    version: int


class LogRecord(msgspec.Struct, frozen=True):
    """A line of the shift log."""

    id: int
    time: str
    actor: str
    kind: str
    text: str


class LogPage(msgspec.Struct, frozen=True):
    """Newest first; ``cursor`` fetches the next page ("" at the end)."""

    entries: list[LogRecord]
    cursor: str = ""


class EscalationRecord(msgspec.Struct, frozen=True):
    """Something passed on."""

    id: int
    kind: str
    object_id: str
    reason: str
    step: int
    from_name: str
    to_name: str
    time: str
    acknowledged_by: str | None
    acknowledged_at: str | None
