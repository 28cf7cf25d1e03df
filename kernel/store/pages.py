"""Everything that a query finds, page by page: what exports, and hunts that look at each event, read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from kernel.event import Event
from kernel.query import Query
from kernel.store.contract import EventStore, TimeRange

PAGE = 10_000
"""Events that a store without ``scan`` is asked for at a time."""


def pages_of(
    store: EventStore, query: Query, when: TimeRange, fields: Sequence[str], damaged: set[str]
) -> Iterator[Sequence[Event]]:
    """All hits, in any order; pages may be empty. ``damaged`` is filled with the parts that cannot be read. Raises what the store
    raises."""
    scan: Any = getattr(store, "scan", None)
    if scan is not None:
        yield from scan(query, when, fields=fields, damaged=damaged)
        return
    cursor = ""
    while True:
        page = store.search(query, when, limit=PAGE, cursor=cursor, fields=fields)
        damaged.update(page.damaged)
        yield page.events
        cursor = page.cursor
        if not cursor:
            return
