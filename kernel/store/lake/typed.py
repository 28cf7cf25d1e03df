"""Columns of Python values → Arrow arrays, as a whole where all values are of the expected kind, else value by value."""

from __future__ import annotations

import socket
import sys
from array import array
from collections.abc import Iterator, Sequence
from functools import lru_cache, partial
from itertools import chain
from typing import Any

import msgspec
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from kernel.errors import StoreError
from kernel.event import Event
from kernel.query.values import MAPPED, ip_hex
from kernel.store.lake.columns import ADDRESS_COLUMNS, LONG_COLUMNS, REST, SEPARATOR, v4_column, v6_column
from kernel.store.storable import storable, storable_scalar

_TEXT = {str, type(None)}
_WHOLE = {int, type(None)}
_BLANK = {type(None)}
_ADDRESSES = frozenset(ADDRESS_COLUMNS)
_SEPARATOR = SEPARATOR.encode()


class Group(msgspec.Struct):
    """Some events, column by column.

    columns  core field → its value (or None) of each event; ``@timestamp`` and ``event.id`` are texts
    rests    JSON of the other fields of each event, or None
    multi    core fields that hold lists; found by :func:`arrays`
    spills   row → core fields whose values are in ``rest`` because no column can hold them; found by :func:`arrays`
    """

    rows: int
    columns: dict[str, Any]
    rests: list[bytes | None]
    multi: set[str] = msgspec.field(default_factory=set)
    spills: dict[int, Event] = msgspec.field(default_factory=dict)


def arrays(group: Group) -> dict[str, Any]:
    """The Arrow arrays of a group, by column; columns without a value may be missing. Raises StoreError for a false time."""
    result: dict[str, Any] = {}
    for field, column in group.columns.items():
        if field == "@timestamp":
            result[field] = _moments(column, group.columns["event.id"])
        elif (kinds := set(map(type, column))) == _BLANK:
            continue
        elif field in _ADDRESSES:
            result |= _addresses(field, column, kinds, group)
        elif field in LONG_COLUMNS:
            result[field] = _longs(field, column, kinds, group)
        else:
            result[field] = _texts(field, column, kinds, group)
    rests = group.rests
    for row, odd in group.spills.items():
        rests[row] = orjson.dumps(orjson.loads(rests[row] or b"{}") | odd)
    if set(map(type, rests)) != _BLANK:
        result[REST] = pa.array(rests, pa.string())
    return result


def _moments(column: Sequence[str], identifiers: Sequence[str]) -> Any:
    try:
        if {(len(time), time[-1:]) for time in column} == {(27, "Z")}:
            return pa.array(column, pa.string()).cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("us"))
    except (pa.ArrowInvalid, UnicodeEncodeError):
        pass
    time, identifier = next(pair for pair in zip(column, identifiers, strict=True) if not is_moment(pair[0]))
    raise StoreError(f"event {identifier} has no true @timestamp: {time[:40]!r}", "give it as kernel.event says")


def is_moment(time: str) -> bool:
    """Whether a text is an ``@timestamp``."""
    try:
        pa.array([time], pa.string()).cast(pa.timestamp("us", "UTC"))
    except (pa.ArrowInvalid, UnicodeEncodeError):
        return False
    return len(time) == 27 and time[-1] == "Z"


def _texts(field: str, column: Sequence[Any], kinds: set[type], group: Group) -> Any:
    if kinds <= _TEXT:
        try:
            texts = pa.array(column, pa.string())
        except UnicodeEncodeError:
            pass
        else:
            content = texts.buffers()[2]
            if content is None or _SEPARATOR not in content.to_pybytes() or not pc.any(pc.starts_with(texts, SEPARATOR)).as_py():
                return texts
    elif kinds == {list} and (joined := _lists(column)) is not None:
        group.multi.add(field)
        return joined
    return pa.array([_text(field, row, value, group) for row, value in enumerate(column)], pa.string())


def _lists(column: Sequence[list[Any]]) -> Any:
    """Lists of texts joined, or None where one is empty or holds something else."""
    if not all(column) or set(map(type, chain.from_iterable(column))) != {str}:
        return None
    try:
        lists = pa.array(column, pa.list_(pa.string()))
    except UnicodeEncodeError:
        return None
    if pc.any(pc.match_substring(lists.flatten(), SEPARATOR)).as_py():
        return None
    return pc.binary_join_element_wise("", pc.binary_join(lists, SEPARATOR), SEPARATOR)


def _text(field: str, row: int, value: Any, group: Group) -> str | None:
    """Slow path of one value: itself, a joined list, or None with the value put into ``rest``."""
    if value is None:
        return None
    if isinstance(value, str):
        text = str(storable_scalar(value))
        if not text.startswith(SEPARATOR):
            return text
        group.spills.setdefault(row, {})[field] = text
        return None
    kept = storable({field: value})
    if list(kept) == [field] and isinstance(kept[field], list):
        elements = kept[field]
        if elements and all(isinstance(element, str) and SEPARATOR not in element for element in elements):
            group.multi.add(field)
            return SEPARATOR + SEPARATOR.join(elements)
    group.spills.setdefault(row, {}).update(kept)
    return None


def _longs(field: str, column: Sequence[Any], kinds: set[type], group: Group) -> Any:
    if kinds <= _WHOLE:
        try:
            return pa.array(column, pa.int64())
        except OverflowError:
            pass
    whole: list[int | None] = []
    for row, value in enumerate(column):
        fits = isinstance(value, int) and not isinstance(value, bool) and -(1 << 63) <= value < 1 << 63
        whole.append(value if fits else None)
        if not fits and value is not None:
            group.spills.setdefault(row, {}).update(storable({field: value}))
    return pa.array(whole, pa.int64())


_dotted = partial(socket.inet_pton, socket.AF_INET)
_address = lru_cache(maxsize=65_536)(ip_hex)


def _addresses(field: str, column: Sequence[Any], kinds: set[type], group: Group) -> dict[str, Any]:
    """Text, u32 and hex columns. Text that is no address goes to ``rest``: so the numbers alone answer network queries."""
    if kinds == {str}:
        dotted = [value for value in column if ":" not in value]
        try:
            numbers = array("I", b"".join(map(_dotted, dotted)))
            if sys.byteorder == "little":
                numbers.byteswap()
            if len(dotted) == len(column):
                return _address_arrays(field, column, numbers, [None] * len(column))
            return _with_colons(field, column, iter(numbers))
        except (OSError, ValueError):  # not all are addresses, or not in a form that can be stored
            pass
    texts: list[str | None] = []
    small_numbers: list[int | None] = []
    large_numbers: list[str | None] = []
    for row, value in enumerate(column):
        number = _address(value) if isinstance(value, str) else None
        mapped = number is not None and number.startswith(MAPPED)
        small_numbers.append(int(number[24:], 16) if number and mapped else None)
        large_numbers.append(None if mapped else number)
        if number is not None:
            texts.append(str(storable_scalar(value)))
        elif isinstance(value, str):
            texts.append(None)
            group.spills.setdefault(row, {})[field] = storable_scalar(value)
        else:
            texts.append(_text(field, row, value, group))
    return _address_arrays(field, texts, small_numbers, large_numbers)


def _with_colons(field: str, column: Sequence[str], dotted: Iterator[int]) -> dict[str, Any]:
    """Where all are addresses and some have colons. Raises ValueError where one is none."""
    small: list[int | None] = []
    large: list[str | None] = []
    for value in column:
        number = _address(value) if ":" in value else ""
        if number is None:
            raise ValueError(value)
        mapped = number.startswith(MAPPED)
        small.append(int(number[24:], 16) if mapped else next(dotted) if not number else None)
        large.append(number or None if not mapped else None)
    return _address_arrays(field, column, small, large)


def _address_arrays(field: str, texts: Sequence[Any], small: Any, large: Sequence[str | None]) -> dict[str, Any]:
    return {
        field: pa.array(texts, pa.string()),
        v4_column(field): pa.array(small, pa.uint32()),
        v6_column(field): pa.array(large, pa.string()),
    }
