"""Counting hits instead of fetching them: over time, and by the values of a field."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson

from kernel.errors import QueryError
from kernel.event import timestamp, timestamp_from_micros
from kernel.query import Query
from kernel.store.contract import Bucket, TimeRange
from kernel.store.lake.asked import Asked, moment
from kernel.store.lake.columns import ADDRESS_COLUMNS, CORE_SET, REST, Layout, quoted, v4_column
from kernel.store.lake.condition import Condition, json_pointer
from kernel.store.lake.manifest import Manifest
from kernel.store.lake.packing import dotted, unusual
from kernel.store.lake.reader import Reader

MOST_BARS = 10_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def histogram(reader: Reader, manifest: Manifest, query: Query, when: TimeRange, buckets: int, interval: int) -> list[Bucket]:
    """``interval`` seconds wide slices aligned to the epoch, or ``buckets`` equal ones."""
    segments = manifest.live(when)
    if not segments:
        return []
    start = _micros(when.start or min(s.first for s in segments))
    end = _micros(when.end) if when.end else _micros(max(s.last for s in segments)) + 1
    if interval:
        width = interval * 1_000_000
        start -= start % width
        buckets = -(-(end - start) // width)
    else:
        width = max(1, -(-(end - start) // buckets))
    if buckets > MOST_BARS:
        raise QueryError(f"{buckets} bars are too many", "choose a longer interval or a shorter time range")
    asked = Asked(list(reader.indexes.parts(segments, query.root)), query.root, when)
    slice_of = f'(epoch_us("@timestamp") - {asked.condition.value(start)}) // {asked.condition.value(width)}'
    sql = f"SELECT {slice_of} AS slice, count(*) FROM {{files}} GROUP BY slice"  # noqa: S608
    counts = {int(row[0]): int(row[1]) for row in reader.run(manifest, asked, sql)}
    return [Bucket(timestamp_from_micros(start + i * width), counts.get(i, 0)) for i in range(max(0, buckets))]


def top(reader: Reader, manifest: Manifest, query: Query, when: TimeRange, field: str, limit: int) -> list[Bucket]:
    """Most frequent elements of a field; equally frequent ones in the order of their text."""
    parts = list(reader.indexes.parts(manifest.live(when), query.root))
    if not parts:
        return []
    asked = Asked(parts, query.root, when)
    if field in ADDRESS_COLUMNS and field not in asked.layout.multi | asked.layout.spill:
        return _top_addresses(reader, manifest, asked, field, limit)
    sources = elements(field, asked.layout, asked.condition)
    counts: dict[tuple[bool, Any], int] = {}  # true is not 1
    for position, source in enumerate(sources):
        cut = f" LIMIT {int(limit)}" if len(sources) == 1 else ""
        sql = f"SELECT key, count(*) AS n FROM ({source}) GROUP BY key ORDER BY n DESC, CAST(key AS VARCHAR){cut}"  # noqa: S608
        as_json = position > 0 or field not in CORE_SET
        for key, number in reader.run(manifest, asked, sql):
            value = orjson.loads(key) if as_json else timestamp(key) if isinstance(key, datetime) else key
            entry = isinstance(value, bool), value
            counts[entry] = counts.get(entry, 0) + int(number)
    ranked = sorted(counts.items(), key=lambda entry: (-entry[1], str(entry[0][1])))
    return [Bucket(value, number) for (_, value), number in ranked[:limit]]


def elements(field: str, layout: Layout, condition: Condition) -> list[str]:
    """SQL for the elements of a field among the hits, as ``key``: of its column (if it has one), then of ``rest``, as JSON text."""
    sources = []
    if field in CORE_SET:
        column = quoted(field)
        if field in layout.multi:
            split = f"CASE WHEN starts_with({column}, chr(31)) THEN str_split(substr({column}, 2), chr(31)) ELSE [{column}] END"
            sources.append(f"SELECT unnest({split}) AS key FROM {{files}} WHERE {column} IS NOT NULL")  # noqa: S608
        else:
            sources.append(f"SELECT {column} AS key FROM {{files}} WHERE {column} IS NOT NULL")  # noqa: S608
    if field not in CORE_SET or field in layout.spill:
        found = f"json_extract({REST}, {condition.value(json_pointer(field))})"
        mark = condition.value(orjson.dumps(field).decode() + ":")
        members = f"CASE json_type({found}) WHEN 'ARRAY' THEN CAST({found} AS JSON[]) ELSE [{found}] END"
        present = f"contains({REST}, {mark}) AND {found} IS NOT NULL"
        inner = f"SELECT unnest({members}) AS key FROM {{files}} WHERE {present}"  # noqa: S608
        sources.append(f"SELECT CAST(key AS VARCHAR) AS key FROM ({inner})")  # noqa: S608
    return sources


def _top_addresses(reader: Reader, manifest: Manifest, asked: Asked, field: str, limit: int) -> list[Bucket]:
    """Counted by number first: texts are made for what is different only."""
    number, text = quoted(v4_column(field)), quoted(unusual(field))
    counted = (
        f"SELECT {number} AS address, {text} AS text, count(*) AS n FROM {{files}}"  # noqa: S608
        f" WHERE {quoted(field)} IS NOT NULL GROUP BY address, text"
    )
    sql = (
        f"SELECT coalesce(text, {dotted('address')}) AS key, CAST(sum(n) AS BIGINT) AS n FROM ({counted})"  # noqa: S608
        f" GROUP BY key ORDER BY n DESC, key LIMIT {int(limit)}"
    )
    return [Bucket(key, int(count)) for key, count in reader.run(manifest, asked, sql)]


def _micros(text: str) -> int:
    delta = moment(text).replace(tzinfo=UTC) - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds
