"""Records of indicators."""

from __future__ import annotations

import msgspec

TLP: tuple[str, ...] = ("clear", "green", "amber", "amber+strict", "red")
"""Traffic Light Protocol 2.0 (FIRST): with whom a piece of information may be shared."""

STATES: tuple[str, ...] = ("active", "expired", "revoked")


class Candidate(msgspec.Struct, frozen=True):
    """What a file, or a person, asks to be watched for.

    place        where it stands, for people: a line, or the id of an object; "" = typed by hand
    kind         "" = guessed from the value
    confidence   0 to 100, None = that of the import
    valid_until  @timestamp text, "" = by kind
    revoked      its origin takes it back
    """

    value: str
    place: str = ""
    kind: str = ""
    confidence: int | None = None
    tlp: str = ""
    note: str = ""
    reference: str = ""
    valid_until: str = ""
    revoked: bool = False


class Refused(msgspec.Struct, frozen=True):
    """What could not be taken, and why."""

    place: str
    value: str
    reason: str


class IndicatorRecord(msgspec.Struct, frozen=True):
    """As in models.IndicatorRow; ``state`` of STATES, as of now."""

    id: int
    kind: str
    value: str
    origin: str
    confidence: int
    tlp: str
    note: str
    reference: str
    valid_until: str
    revoked_at: str
    revoked_by: str
    created_at: str
    created_by: str
    changed_at: str
    version: int
    state: str


class Hits(msgspec.Struct, frozen=True):
    """How a value was met: ``alerts``, ``events`` (detections), first and last moment."""

    alerts: int = 0
    events: int = 0
    first: str = ""
    last: str = ""


class IndicatorFilter(msgspec.Struct, frozen=True):
    """Empty fields do not narrow; ``met`` only what was met."""

    kind: str = ""
    origin: str = ""
    state: str = ""
    text: str = ""
    met: bool = False


class IndicatorPage(msgspec.Struct, frozen=True):
    """One page, newest first; ``hits`` by value."""

    indicators: list[IndicatorRecord]
    hits: dict[str, Hits]
    cursor: str = ""


class Outcome(msgspec.Struct):
    """What an import did. ``refused`` holds the first MOST_REFUSED; ``refused_count`` all."""

    added: int = 0
    changed: int = 0
    same: int = 0
    revoked: int = 0
    refused_count: int = 0
    refused: list[Refused] = []

    def refuse(self, place: str, value: str, reason: str) -> None:
        self.refused_count += 1
        if len(self.refused) < MOST_REFUSED:
            self.refused.append(Refused(place[:64], value[:200], reason))


MOST_REFUSED = 200
