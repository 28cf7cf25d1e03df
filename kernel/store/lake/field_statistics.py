"""What one field holds among the hits: how often it is there, how many different values, the range of its numbers."""

from __future__ import annotations

import math

from kernel.query import Query
from kernel.query.tree import And, Exists, Match
from kernel.store.contract import FieldStatistics, TimeRange
from kernel.store.lake.aggregate import elements
from kernel.store.lake.asked import Asked
from kernel.store.lake.columns import CORE_SET, LONG_COLUMNS
from kernel.store.lake.manifest import Manifest
from kernel.store.lake.reader import Reader


def of(reader: Reader, manifest: Manifest, query: Query, when: TimeRange, field: str) -> FieldStatistics:
    """One look for the counts, one for each place where the field's values lie. Distinct ones by HyperLogLog."""
    events = reader.count(manifest, query, when)
    having = Query(query.text, And((query.root, Match(field, Exists()))))
    found = FieldStatistics(events, reader.count(manifest, having, when), 0)
    if not found.present:
        return found
    parts = list(reader.indexes.parts(manifest.live(when), having.root))
    asked = Asked(parts, having.root, when)
    numbers, total = 0, 0.0
    for position, source in enumerate(elements(field, asked.layout, asked.condition)):
        in_column = field in CORE_SET and position == 0
        number = "CAST(key AS DOUBLE)" if in_column else "TRY_CAST(key AS DOUBLE)"
        figures = f"count({number}), min({number}), max({number}), sum({number})"
        if in_column and field not in LONG_COLUMNS:
            figures = "0, NULL, NULL, NULL"
        sql = f"SELECT approx_count_distinct(key), {figures} FROM ({source})"  # noqa: S608
        for distinct, count, low, high, added in reader.run(manifest, asked, sql):
            found.distinct += int(distinct)
            if count and math.isfinite(added):
                numbers, total = numbers + int(count), total + float(added)
                found.minimum = low if found.minimum is None else min(found.minimum, low)
                found.maximum = high if found.maximum is None else max(found.maximum, high)
    if numbers:
        found.average = total / numbers
    return found
