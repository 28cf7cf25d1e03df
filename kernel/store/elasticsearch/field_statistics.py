"""What one field holds among the hits: cardinality and numbers by aggregation, listed where the server cannot count."""

from __future__ import annotations

from kernel.store.contract import FieldStatistics
from kernel.store.elasticsearch import aggregate
from kernel.store.elasticsearch.bounds import Dsl
from kernel.store.elasticsearch.fields import AS_WRITTEN, NO_VALUES, in_layout, is_regular, kind_of
from kernel.store.elasticsearch.reader import Question, Reader

_LISTED = 1_000
"""Different values that are listed where the server cannot count them."""

_PRECISION = 10_000
"""Up to here the number of different values is nearly exact (HyperLogLog++)."""


def fill(reader: Reader, question: Question, field: str, found: FieldStatistics) -> None:
    """Distinct values and numbers of events that all have the field."""
    layout = question.snapshot.state.layout
    apart = in_layout(field) in layout.aside or in_layout(field) in layout.uncounted
    if apart or not is_regular(field) or field in NO_VALUES or not question.bounds.exact:
        _from_list(reader, question, field, found)
        return
    kind = kind_of(field)
    indexed = field if kind in ("long", "boolean", "moment", "date") else field + AS_WRITTEN
    wanted: Dsl = {"distinct": {"cardinality": {"field": indexed, "precision_threshold": _PRECISION}}}
    if kind == "long":
        wanted["numbers"] = {"stats": {"field": field}}
    answer = reader.run({"query": {"bool": {"filter": [question.bounds.surely]}}, "size": 0, "aggs": wanted})
    figures = answer.get("aggregations", {})
    found.distinct = int(figures.get("distinct", {}).get("value", 0))
    numbers = figures.get("numbers", {})
    if numbers.get("count"):
        found.minimum, found.maximum, found.average = (float(numbers[name]) for name in ("min", "max", "avg"))


def _from_list(reader: Reader, question: Question, field: str, found: FieldStatistics) -> None:
    listed = aggregate.top(reader, question, field, _LISTED)
    found.distinct, found.at_least = len(listed), len(listed) == _LISTED
    numbers = [(bucket.key, bucket.count) for bucket in listed if _is_number(bucket.key)]
    if numbers and not found.at_least:
        found.minimum = float(min(number for number, _ in numbers))
        found.maximum = float(max(number for number, _ in numbers))
        found.average = sum(number * count for number, count in numbers) / sum(count for _, count in numbers)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
