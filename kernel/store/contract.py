"""What every event store promises, whichever engine stands behind it.

One commit is atomic: its events, its quarantined records and the consumer's new position become visible and durable together,
or not at all. So a pipeline that is killed at any moment goes on where the last commit ended, and nothing is stored twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from kernel.event import Event
from kernel.query import Query


class Quarantined(msgspec.Struct, frozen=True):
    """A record that could not be understood, kept whole with the reason (the dead letter)."""

    id: str
    time: str  # @timestamp text of arrival
    source: str
    origin: str
    reason: str
    raw: bytes


class Commit(msgspec.Struct):
    """One batch of the pipeline.

    consumer  name of the reader of the spool, e.g. ``pipeline``
    position  spool position up to which (exclusive) the batch has consumed; must grow
    state     what the consumer needs to go on after a restart (opaque to the store)
    counters  increments to durable counters, e.g. ``{"received.syslog-tcp": 500, "stored": 498, "quarantined": 2}``
    """

    events: list[Event]
    quarantined: list[Quarantined] = []
    consumer: str = ""
    position: int = 0
    state: bytes | None = None
    counters: dict[str, int] = {}


class TimeRange(msgspec.Struct, frozen=True):
    """Half-open range of ``@timestamp`` texts; "" means unbounded."""

    start: str = ""
    end: str = ""


class Page(msgspec.Struct):
    """One page of hits, newest first. ``cursor`` fetches the next page ("" at the end); ``total`` is None if not counted.

    ``damaged`` names parts of the store that could not be read, so the answer lacks what they hold.
    """

    events: list[Event]
    cursor: str = ""
    total: int | None = None
    damaged: list[str] = []


class Bucket(msgspec.Struct):
    """One bar of a histogram or one row of a top list."""

    key: Any
    count: int


class FieldStatistics(msgspec.Struct):
    """What a field holds among some events.

    events    how many there are; ``present``: those that have the field
    distinct  how many different elements, estimated (±2 %); ``at_least``: there are more
    minimum, maximum, average  of the elements that are numbers, None where there are none
    """

    events: int
    present: int
    distinct: int
    at_least: bool = False
    minimum: float | None = None
    maximum: float | None = None
    average: float | None = None


class EventStore(Protocol):
    """Engine-neutral store. All methods raise StoreError; queries raise QueryError where the engine cannot run them."""

    def commit(self, batch: Commit) -> None: ...

    def consumer(self, name: str) -> tuple[int, bytes | None]:
        """Position and state of the last commit of a consumer; ``(0, None)`` for a new one."""
        ...

    def counters(self) -> dict[str, int]:
        """The durable counters."""
        ...

    def search(
        self,
        query: Query,
        when: TimeRange,
        *,
        limit: int = 100,
        cursor: str = "",
        fields: Sequence[str] | None = None,
        count: bool = False,
    ) -> Page:
        """Newest first by (@timestamp, event.id). ``fields`` None = a short list for tables; ``["*"]`` = the whole event."""
        ...

    def get(self, event_id: str, at: str = "") -> Event | None:
        """The whole event; with ``at`` (its @timestamp, where known) only what happened then is looked at, which is quick."""
        ...

    def count(self, query: Query, when: TimeRange) -> int: ...

    def histogram(self, query: Query, when: TimeRange, *, buckets: int = 60, interval: int = 0) -> list[Bucket]:
        """Equal time slices over ``when`` (or over what there is), empty ones included; keys: their starts as @timestamp.

        With ``interval`` (seconds) the slices are that wide and begin at its multiples (UTC); ``buckets`` does not matter then.
        """
        ...

    def field_statistics(self, query: Query, when: TimeRange, field: str) -> FieldStatistics:
        """Counts and numbers of one field among the hits."""
        ...

    def top(self, query: Query, when: TimeRange, field: str, *, limit: int = 10) -> list[Bucket]:
        """Most frequent values of a field, most frequent first."""
        ...

    def quarantine(self, *, limit: int = 100, before: str = "") -> list[Quarantined]:
        """Newest quarantined records first."""
        ...

    def statistics(self) -> dict[str, Any]:
        """events, bytes, segments, earliest, latest, by_dataset — for the health and sources pages."""
        ...

    def retain(self, days: int, now: str) -> int:
        """Drop events of days older than ``days``; returns how many. An event's day is the later one of ``@timestamp`` and
        ``event.ingested``: what a device with a wrong clock sends today is not old.

        Refuses less than 180 days unless the store was opened as a demo store: Cybersecurity Law of the PRC, article on log
        retention (at least six months), asked by MLPS audits.
        """
        ...

    def compact(self, *, everything: bool = False) -> int:
        """Regular upkeep, cheap when nothing is due: call it once a minute. ``everything``: also what is not due yet.

        Returns how many parts were replaced (lake: small segments merged; Elasticsearch: a new backing index begun).
        """
        ...

    def close(self) -> None: ...
