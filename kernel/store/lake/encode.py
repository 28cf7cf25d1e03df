"""Events → one Arrow table.

Events of one source have the same fields in the same order. So a batch is grouped by that *shape*, and each column of a shape is
taken over as a whole, in C loops. Events of rare shapes, and those with odd values outside the columns, go together event by event.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any

import msgspec
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from kernel.errors import StoreError
from kernel.event import Event
from kernel.store.lake.ages import age_days
from kernel.store.lake.columns import CORE, CORE_SET, SCHEMA, Layout
from kernel.store.lake.typed import Group, arrays
from kernel.store.storable import storable

_FEWEST = 16
"""A shape with fewer events is not worth columns of its own."""
_MOST = 200
"""Nor are more shapes than this."""

_PLAIN = {str, int, bool}


class Encoded(msgspec.Struct):
    """A table, shape by shape, with what the manifest records of it."""

    table: Any  # pyarrow.Table
    layout: Layout
    first: str
    last: str
    days: dict[str, int]
    ages: dict[str, int]
    datasets: dict[str, int]


def encode(events: Sequence[Event]) -> Encoded:
    """Raises StoreError for an event without a true ``@timestamp`` or ``event.id`` text (the pipeline gives both)."""
    groups = _groups(events)
    encoded = [arrays(group) for group in groups]
    times: list[str] = []
    ages: Counter[str] = Counter()
    datasets: Counter[str] = Counter()
    layout = Layout()
    for group, piece in zip(groups, encoded, strict=True):
        times += group.columns["@timestamp"]
        ages += age_days(group.columns["@timestamp"], group.columns.get("event.ingested"))
        for entry in pc.value_counts(piece.get("event.dataset", pa.nulls(group.rows, pa.string()))).to_pylist():
            datasets[_dataset(entry["values"])] += entry["counts"]
        layout = layout | Layout(frozenset(group.multi), frozenset(field for odd in group.spills.values() for field in odd))
    return Encoded(
        table=_table([group.rows for group in groups], encoded),
        layout=layout,
        first=min(times),
        last=max(times),
        days=dict(Counter([time[:10] for time in times])),
        ages=dict(ages),
        datasets=dict(datasets),
    )


def _groups(events: Sequence[Event]) -> list[Group]:
    shapes: dict[tuple[str, ...], list[Event]] = defaultdict(list)
    for event in events:
        shapes[tuple(event)].append(event)
    by_size = sorted(shapes.items(), key=lambda entry: -len(entry[1]))
    common = [entry for entry in by_size[:_MOST] if len(entry[1]) >= _FEWEST]
    others = [event for _, members in by_size[len(common) :] for event in members]
    groups: list[tuple[str, Group]] = []
    for shape, members in common:
        group = _of_one_shape(shape, members)
        if group is None:
            others += members
        else:
            groups.append((_dataset(members[0].get("event.dataset")), group))
    groups.sort(key=itemgetter(0))
    rest = [_of_any_shape(others)] if others else []
    return [group for _, group in groups] + rest


def _check_places(columns: Mapping[str, Sequence[Any]], events: Sequence[Event]) -> None:
    for field in ("@timestamp", "event.id"):
        if set(map(type, columns.get(field, ()))) != {str}:
            wrong = next(event for event in events if not isinstance(event.get(field), str))
            raise StoreError(f"an event without @timestamp or event.id text cannot be stored: {str(wrong)[:200]}")


def _of_one_shape(shape: tuple[str, ...], events: list[Event]) -> Group | None:
    """None when a value outside the columns has to be made storable first."""
    columns: dict[str, Sequence[Any]] = dict(zip(shape, zip(*map(dict.values, events), strict=True), strict=True))
    _check_places(columns, events)
    others = {field: values for field, values in columns.items() if field not in CORE_SET}
    rests: list[Any] = [None] * len(events)
    if others:
        if not all(map(_is_storable, others.values())):
            return None
        try:
            rests = [orjson.dumps(dict(zip(others, row, strict=True))) for row in zip(*others.values(), strict=True)]
        except TypeError:  # a lone surrogate, a number beyond 64 bits
            return None
    core = {field: values for field, values in columns.items() if field in CORE_SET}
    return Group(len(events), core, rests)


def _is_storable(values: Sequence[Any]) -> bool:
    """Whether all values of a field are in the form of :mod:`kernel.store.storable` (numbers beyond 64 bits apart)."""
    kinds = set(map(type, values))
    if kinds <= _PLAIN:
        return True
    if kinds == {list}:
        return set(map(type, chain.from_iterable(values))) <= _PLAIN
    return kinds == {float} and all(map(math.isfinite, values))


def _of_any_shape(events: list[Event]) -> Group:
    columns: dict[str, list[Any]] = {field: [None] * len(events) for field in CORE}
    column_of = columns.get
    rests: list[Any] = []
    for row, event in enumerate(events):
        rest: Event = {}
        for field, value in event.items():
            column = column_of(field)
            if column is None:
                rest[field] = value
            else:
                column[row] = value
        text = _json(rest)
        if text is None:
            plain = storable(event)
            for field, column in columns.items():
                column[row] = plain.get(field)
            text = _json({field: value for field, value in plain.items() if field not in CORE_SET}, certain=True)
        rests.append(text or None)
    _check_places(columns, events)
    return Group(len(events), columns, rests)


_ODD = (b"null", b":{", b"[{", b",{", b"[[", b",[")
"""Marks of nulls and nested values (or of texts that look like it: those only take the slower way)."""


def _json(rest: Event, *, certain: bool = False) -> bytes | None:
    """The JSON of the other fields, b"" without any; None when something in it may have to be made storable first."""
    if not rest:
        return b""
    try:
        text = orjson.dumps(rest)
    except TypeError:
        return None
    if not certain and any(mark in text for mark in _ODD):
        return None
    return text


def _table(rows: list[int], pieces: list[dict[str, Any]]) -> Any:
    columns = []
    for field in SCHEMA:
        chunks = [piece.get(field.name) for piece in pieces]
        filled = [pa.nulls(count, field.type) if chunk is None else chunk for count, chunk in zip(rows, chunks, strict=True)]
        columns.append(pa.chunked_array(filled, field.type))
    return pa.table(columns, schema=SCHEMA)


def _dataset(dataset: Any) -> str:
    return dataset if isinstance(dataset, str) and dataset.isprintable() else "(none)"
