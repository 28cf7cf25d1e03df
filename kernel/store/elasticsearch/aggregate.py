"""Counting hits instead of fetching them: over time, and by the values of a field. Results are defined by the lake's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import orjson

from kernel.errors import QueryError
from kernel.event import timestamp_from_micros
from kernel.query.matcher import elements
from kernel.store.contract import Bucket, TimeRange
from kernel.store.elasticsearch import regexp
from kernel.store.elasticsearch.bounds import Dsl, both, without
from kernel.store.elasticsearch.document import micros
from kernel.store.elasticsearch.fields import (
    AS_WRITTEN,
    FOLDED,
    KEY,
    MOMENT,
    NO_VALUES,
    TERMS,
    VALUES,
    in_layout,
    is_regular,
    kind_of,
)
from kernel.store.elasticsearch.reader import Question, Reader, moment
from kernel.store.elasticsearch.terms import prefix, uncounted

MOST_BARS = 10_000
MOST_VALUES = 200_000
"""Distinct values of a field that are listed to find the most frequent ones exactly."""

_SHARD_SIZE = 20_000
_SPARE = 1_000
_PAGE = 10_000

Counts = dict[tuple[bool, Any], int]
"""(is it a bool, value) → number: true is not 1."""


def histogram(reader: Reader, question: Question, when: TimeRange, buckets: int, interval: int) -> list[Bucket]:
    """``interval`` seconds wide slices aligned to the epoch, or ``buckets`` equal ones."""
    span = _span(reader, question, when)
    if span is None:
        return []
    start, end = span
    if interval:
        width = interval * 1_000_000
        start -= start % width
        buckets = -(-(end - start) // width)
    else:
        width = max(1, -(-(end - start) // buckets))
    if buckets > MOST_BARS:
        raise QueryError(f"{buckets} bars are too many", "choose a longer interval or a shorter time range")
    slices = {"histogram": {"field": MOMENT, "interval": width, "offset": start % width, "min_doc_count": 1}}
    answer = reader.run({"query": {"bool": {"filter": [question.bounds.surely]}}, "size": 0, "aggs": {"slices": slices}})
    counts: dict[int, int] = {}
    for bucket in answer.get("aggregations", {}).get("slices", {}).get("buckets", ()):
        counts[round((bucket["key"] - start) / width)] = int(bucket["doc_count"])
    if not question.bounds.exact:
        for event in reader.read(question, question.unsure, ()):
            at = ((micros(event["@timestamp"]) or 0) - start) // width
            counts[at] = counts.get(at, 0) + 1
    return [Bucket(timestamp_from_micros(start + i * width), counts.get(i, 0)) for i in range(max(0, buckets))]


def _span(reader: Reader, question: Question, when: TimeRange) -> tuple[int, int] | None:
    """From when to when the bars reach (microseconds, half-open): the range asked for, its open ends where there are events."""
    everything = reader.in_sight(question.snapshot, when)
    ends = {"first": {"min": {"field": MOMENT}}, "last": {"max": {"field": MOMENT}}}
    answer = reader.run({"query": {"bool": {"filter": [everything]}}, "size": 0, "aggs": ends})
    found = answer.get("aggregations", {})
    first, last = found.get("first", {}).get("value"), found.get("last", {}).get("value")
    if first is None or last is None:
        return None
    return moment(when.start) if when.start else int(first), moment(when.end) if when.end else int(last) + 1


def top(reader: Reader, question: Question, field: str, limit: int) -> list[Bucket]:
    """Most frequent elements of a field; equally frequent ones in the order of their text."""
    layout = question.snapshot.state.layout
    countable = question.bounds.surely
    if field in NO_VALUES and field != "event.id":
        countable = {"match_none": {}}
    elif in_layout(field) in layout.uncounted:
        countable = both([countable, without({"term": {TERMS: uncounted(field)}})])
    sources = [_native_source(field)] if is_regular(field) else []
    if in_layout(field) in layout.aside:
        sources.append(_Source(VALUES, prefix(field)))
    unread = countable is question.bounds.surely and question.bounds.exact
    read: Counts = {}
    if not unread:
        which = both([question.bounds.maybe, without(countable)])
        for event in reader.read(question, which, (field,)):
            for element in elements(event.get(field)):
                read[_entry(element)] = read.get(_entry(element), 0) + 1
    counts = dict(read)
    several = len(sources) > 1 or bool(read)
    for source in sources:
        for value, number in _counts(reader, countable, source, limit, complete=several and _some(reader, countable, source)):
            counts[_entry(value)] = counts.get(_entry(value), 0) + number
    ranked = sorted(counts.items(), key=lambda entry: (-entry[1], str(entry[0][1])))
    return [Bucket(value, number) for (_, value), number in ranked[:limit]]


def _entry(value: Any) -> tuple[bool, Any]:
    return isinstance(value, bool), value


class _Source(msgspec.Struct, frozen=True):
    """An indexed field whose values are counted; with ``start`` only those that begin with it, and what follows is JSON."""

    field: str
    start: str = ""
    kind: str = "keyword"

    def value(self, key: Any) -> Any:
        """The element of the event that a key stands for."""
        if self.start:
            return orjson.loads(key[len(self.start) :])
        if self.kind == "moment":
            return timestamp_from_micros(int(key))
        if self.kind == "date":
            return str(key).upper()
        return bool(key) if self.kind == "boolean" else key


def _native_source(field: str) -> _Source:
    kind = kind_of(field)
    if field == "event.id":
        return _Source(KEY)
    if kind == "moment":
        return _Source(MOMENT, kind=kind)
    if kind == "date":
        return _Source(field + FOLDED, kind=kind)
    return _Source(field if kind in ("long", "boolean") else field + AS_WRITTEN, kind=kind)


def _some(reader: Reader, which: Dsl, source: _Source) -> bool:
    """Whether there is anything to count."""
    condition: Dsl = {"prefix": {TERMS: {"value": source.start + "E"}}} if source.start else {"exists": {"field": source.field}}
    return reader.number(both([which, condition])) > 0


def _counts(reader: Reader, which: Dsl, source: _Source, limit: int, *, complete: bool) -> Iterator[tuple[Any, int]]:
    """Values with their numbers: the ``limit`` most frequent ones at least, exactly; all of them if ``complete``."""
    listed = None if complete else _settled(reader, which, source, limit)
    if listed is None:
        yield from _all_values(reader, which, source)
        return
    for bucket in listed:
        yield source.value(bucket["key"]), int(bucket["doc_count"])


def _settled(reader: Reader, which: Dsl, source: _Source, limit: int) -> list[dict[str, Any]] | None:
    """Buckets with exact numbers, the ``limit`` most frequent values surely among them; None where that cannot be known.

    A shard lists its most frequent values only, so the numbers are lower bounds. A value that no shard listed has at most
    ``doc_count_error_upper_bound`` hits; one that was cut off the end of the answer at most that many more than the last one.
    """
    size = min(limit + _SPARE, _PAGE)
    answer = _most_frequent(reader, which, source, size)
    buckets: list[dict[str, Any]] = answer.get("buckets", [])
    unlisted = answer.get("doc_count_error_upper_bound", 0)
    if unlisted == 0 or answer["alone"]:
        return buckets
    if len(buckets) < limit:
        return None
    least = buckets[limit - 1]["doc_count"]
    if unlisted + (buckets[-1]["doc_count"] if len(buckets) >= size else 0) >= least:
        return None
    rivals = [bucket for bucket in buckets if bucket["doc_count"] + bucket["doc_count_error_upper_bound"] >= least]
    if any(bucket["doc_count_error_upper_bound"] for bucket in rivals):
        counted = _most_frequent(reader, which, source, size, only=[bucket["key"] for bucket in rivals])
        rivals = counted.get("buckets", [])
    return rivals


def _most_frequent(
    reader: Reader, which: Dsl, source: _Source, size: int, *, only: list[Any] | None = None, index: str = ""
) -> dict[str, Any]:
    """What the server counted, and whether a single shard did it all ("alone"): its ranking is exact."""
    listed: Dsl = {
        "field": source.field,
        "size": size,
        "shard_size": max(_SHARD_SIZE, size),
        "order": [{"_count": "desc"}, {"_key": "asc"}],
        "show_term_doc_count_error": True,
    }
    if only is not None:
        listed["include"] = only
    elif source.start:
        listed["include"] = regexp.escaped(source.start) + ".*"
    counted: Dsl = {"top": {"terms": listed}, "places": {"terms": {"field": "_index", "size": 2}}}
    answer = reader.run({"query": {"bool": {"filter": [which]}}, "size": 0, "aggs": counted}, index)
    found: dict[str, Any] = answer.get("aggregations", {})
    top: dict[str, Any] = found.get("top", {}) | {"alone": answer["_shards"]["total"] == 1}
    places = found.get("places", {}).get("buckets", ())
    if len(places) == 1 and not index and not top["alone"] and top.get("doc_count_error_upper_bound"):
        return _most_frequent(reader, which, source, size, only=only, index=places[0]["key"])
    return top


def _all_values(reader: Reader, which: Dsl, source: _Source) -> Iterator[tuple[Any, int]]:
    after: dict[str, Any] | None = {"key": source.start} if source.start else None
    seen = 0
    while True:
        pages: Dsl = {"size": _PAGE, "sources": [{"key": {"terms": {"field": source.field}}}]}
        if after is not None:
            pages["after"] = after
        body = {"query": {"bool": {"filter": [which]}}, "size": 0, "aggs": {"values": {"composite": pages}}}
        found = reader.run(body).get("aggregations", {}).get("values", {})
        for bucket in found.get("buckets", ()):
            key = bucket["key"]["key"]
            if source.start and not key.startswith(source.start):
                return
            yield source.value(key), int(bucket["doc_count"])
        seen += len(found.get("buckets", ()))
        after = found.get("after_key")
        if after is None or len(found["buckets"]) < _PAGE:
            return
        if seen >= MOST_VALUES:
            raise QueryError(f"the field has more than {MOST_VALUES} different values here", "ask for a shorter time range")
