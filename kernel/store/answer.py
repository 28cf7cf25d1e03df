"""A whole query, pipes included, asked of a store: what the console, the API and ``liandun search`` show."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from kernel.query import Query
from kernel.query.tree import Count, Histogram, Top
from kernel.store.contract import Bucket, EventStore, Page, TimeRange


class Answer(msgspec.Struct):
    """``kind`` says which part is filled: events → page, count → total, top and histogram → buckets.

    field    the field of a top list
    columns  fields to show of each event, None = the store's short list
    """

    kind: Literal["events", "count", "top", "histogram"]
    page: Page | None = None
    total: int = 0
    buckets: list[Bucket] = []
    field: str = ""
    columns: tuple[str, ...] | None = None


def answer(
    store: EventStore,
    query: Query,
    when: TimeRange,
    *,
    limit: int = 100,
    cursor: str = "",
    fields: Sequence[str] | None = None,
    count: bool = False,
) -> Answer:
    """The last of ``| top``, ``| histogram``, ``| count`` decides; without one: the hits. Raises StoreError, QueryError."""
    for pipe in reversed(query.pipes):
        if isinstance(pipe, Top):
            return Answer("top", buckets=store.top(query, when, pipe.field, limit=pipe.limit), field=pipe.field)
        if isinstance(pipe, Histogram):
            return Answer("histogram", buckets=store.histogram(query, when, interval=pipe.seconds))
        if isinstance(pipe, Count):
            return Answer("count", total=store.count(query, when))
    columns = tuple(fields) if fields is not None else query.fields
    page = store.search(query, when, limit=limit, cursor=cursor, fields=columns, count=count)
    return Answer("events", page=page, columns=columns)
