"""What a person with a scope sees of the event store: events of their zones, in searches, counts, lists of values and by address.

The state database is limited by the rooms themselves (operations.reach). Both are put in place by soc_ui.services.services(), which
every page and every API call goes through, so no view has to think of it and none can forget it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kernel.event import Event
from kernel.query import Query
from kernel.query.tree import And, Node
from kernel.store.contract import Bucket, Commit, EventStore, FieldStatistics, Page, Quarantined, TimeRange
from operations.reach import ZONE_FIELDS, concerning


class ReachedStore:
    """An event store as seen from some zones. Raises what the store raises; nothing can be written through it."""

    def __init__(self, store: EventStore, zones: frozenset[str]) -> None:
        self._store = store
        self._zones = zones
        self._condition: Node = concerning(zones)

    def _within(self, query: Query) -> Query:
        return Query(query.text, And((query.root, self._condition)), query.pipes)

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
        if not self._zones:
            return Page([], total=0 if count else None)
        return self._store.search(self._within(query), when, limit=limit, cursor=cursor, fields=fields, count=count)

    def get(self, event_id: str, at: str = "") -> Event | None:
        event = self._store.get(event_id, at)
        return event if event is not None and self._sees(event) else None

    def count(self, query: Query, when: TimeRange) -> int:
        return self._store.count(self._within(query), when) if self._zones else 0

    def histogram(self, query: Query, when: TimeRange, *, buckets: int = 60, interval: int = 0) -> list[Bucket]:
        if not self._zones:
            return []
        return self._store.histogram(self._within(query), when, buckets=buckets, interval=interval)

    def field_statistics(self, query: Query, when: TimeRange, field: str) -> FieldStatistics:
        return self._store.field_statistics(self._within(query), when, field) if self._zones else FieldStatistics(0, 0, 0)

    def top(self, query: Query, when: TimeRange, field: str, *, limit: int = 10) -> list[Bucket]:
        return self._store.top(self._within(query), when, field, limit=limit) if self._zones else []

    def quarantine(self, *, limit: int = 100, before: str = "") -> list[Quarantined]:
        return []  # what could not be read belongs to no zone

    def counters(self) -> dict[str, int]:
        return {}

    def statistics(self) -> dict[str, Any]:
        return {}

    def consumer(self, name: str) -> tuple[int, bytes | None]:
        raise NotImplementedError("a reader with a scope is no consumer")

    def commit(self, batch: Commit) -> None:
        raise NotImplementedError("nothing is written through a scope")

    def retain(self, days: int, now: str) -> int:
        raise NotImplementedError("nothing is removed through a scope")

    def compact(self, *, everything: bool = False) -> int:
        raise NotImplementedError("nothing is compacted through a scope")

    def close(self) -> None:
        """The store is not ours."""

    def _sees(self, event: Event) -> bool:
        for field in ZONE_FIELDS:
            value = event.get(field)
            if any(one in self._zones for one in (value if isinstance(value, list) else [value])):
                return True
        return False
