"""``| sort field``: numbers before texts, texts without regard to case, events without the field last, then newest first.

The server sorts what it keeps as a number or as one kind of text. Events where the field is a text that spells a number, or is kept
aside, are few as a rule: they are read and sorted here, among the first of the others.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice
from typing import Any

from kernel.event import Event
from kernel.query.matcher import elements
from kernel.query.text import element_text, fold
from kernel.query.tree import Sort
from kernel.query.values import PLAIN_NUMBER
from kernel.store.elasticsearch.bounds import Bounds, Dsl, both, either, without
from kernel.store.elasticsearch.fields import MOMENT, NO_VALUES, TERMS, in_layout, is_regular, kind_of, text_of
from kernel.store.elasticsearch.reader import NEWEST_FIRST, Question, Reader
from kernel.store.elasticsearch.terms import prefix

_PLAIN = re.compile(PLAIN_NUMBER)
_SERVER_PAGE = 1_000


def in_order(reader: Reader, question: Question, sort: Sort, limit: int, fields: Sequence[str]) -> list[Event]:
    """The first ``limit`` events in that order. Raises QueryError where too many would have to be read."""
    kind = kind_of(sort.field)
    direction = "desc" if sort.descending else "asc"
    if kind in ("moment", "long"):
        key = MOMENT if kind == "moment" else sort.field
        return _served(reader, question, [{key: {"order": direction, "missing": "_last"}}], limit, fields)
    wanted = [*fields, sort.field]
    here = _sorted_here(question, sort.field)
    events: list[Event] = []
    bounds = question.bounds
    if here is not None:
        events += reader.read(question, both([bounds.maybe, here]), wanted)
    rest = without(here) if here is not None else None
    if rest is None or sort.field not in NO_VALUES:
        maybe = both([bounds.maybe, rest]) if rest else bounds.maybe
        surely = maybe if bounds.exact else both([bounds.surely, rest]) if rest else bounds.surely
        others = Question(question.query, Bounds(surely, maybe), question.snapshot)
        ordering = [_server_key(sort.field, direction)] if is_regular(sort.field) else []
        events += _served(reader, others, ordering, limit, wanted)
    return _ordered(events, sort)[:limit]


def _server_key(field: str, direction: str) -> Dsl:
    return {text_of(field) or field: {"order": direction, "missing": "_last", "unmapped_type": "keyword"}}


def _sorted_here(question: Question, field: str) -> Dsl | None:
    """Which events are sorted here; None: none."""
    if field in NO_VALUES:
        return {"match_all": {}}
    start = prefix(field)
    kinds = ["E", "T"] if in_layout(field) in question.snapshot.state.layout.aside else ["T"] if kind_of(field) == "keyword" else []
    return either([{"prefix": {TERMS: {"value": start + kind}}} for kind in kinds]) if kinds else None


def _served(reader: Reader, question: Question, keys: list[Dsl], limit: int, fields: Sequence[str]) -> list[Event]:
    hits = reader.hits(question, fields=fields, order=[*keys, *NEWEST_FIRST], page=min(limit, _SERVER_PAGE))
    return [hit.event for hit in islice(hits, limit)]


def _ordered(events: list[Event], sort: Sort) -> list[Event]:
    """Sorted from the least to the most significant key; Python's sort keeps what is equal in place."""
    events.sort(key=lambda event: (event["@timestamp"], event["event.id"]), reverse=True)
    keys = {event["event.id"]: _keys(event.get(sort.field)) for event in events}
    for at in (1, 0):
        there = [event for event in events if keys[event["event.id"]][at] is not None]
        there.sort(key=lambda event: keys[event["event.id"]][at], reverse=sort.descending)
        events = there + [event for event in events if keys[event["event.id"]][at] is None]
    return events


def _keys(value: Any) -> tuple[Any, Any]:
    """The number that the value spells, and its folded text; both None without the field."""
    texts = [fold(element_text(element)) for element in elements(value)]
    if not texts:
        return None, None
    text = texts[0]
    return float(text) if _PLAIN.fullmatch(text) else None, text
