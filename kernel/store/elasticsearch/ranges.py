"""Comparing numbers, addresses, dates and times: range queries with exactly the meaning of :mod:`kernel.query.tree`."""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Callable

from kernel.event import Event, timestamp_from_micros
from kernel.query import Query, matches
from kernel.query.text import fold, wildcard_tokens
from kernel.query.tree import Bound, Equals, Exists, Match, Network, Predicate, Range, Wildcard
from kernel.store.elasticsearch.bounds import ALL, EVERYTHING, NONE, NOTHING, Bounds, Dsl, at_most, exactly
from kernel.store.elasticsearch.document import micros
from kernel.store.elasticsearch.fields import MOMENT, TERMS
from kernel.store.elasticsearch.terms import EXACT, ordered, prefix

FIRST_MICROS, LAST_MICROS = -62_135_596_800_000_000, 253_402_300_799_999_999
"""0001-01-01 to the end of 9999."""


def kind_of_range(predicate: Range) -> str:
    """number, date, ip or text; "" without ends."""
    end = predicate.low or predicate.high
    return end.kind if end else ""


def text_range(space: tuple[str, str], predicate: Range) -> Dsl:
    """Texts in a field after a fixed start.

    Dates compare the first characters only: ``<= 2026`` is all before the first text after every ``2026…``.
    """
    field, start = space
    ends: dict[str, str] = {}
    date = kind_of_range(predicate) == "date"
    if start:
        ends["gte"], ends["lt"] = start, start[:-1] + chr(ord(start[-1]) + 1)
    if low := predicate.low:
        if date and not low.inclusive:
            ends["gte"] = start + _after(fold(low.text))
        else:
            ends.pop("gte", None)
            ends["gte" if low.inclusive else "gt"] = start + fold(low.text)
    if high := predicate.high:
        ends.pop("lt", None)
        if date and high.inclusive:
            ends["lt"] = start + _after(fold(high.text))
        else:
            ends["lte" if high.inclusive else "lt"] = start + fold(high.text)
    return {"range": {field: ends}}


def _after(text: str) -> str:
    """The first text after all that begin with this one (a date: its last character is a digit or a mark below ``z``)."""
    return text[:-1] + chr(ord(text[-1]) + 1)


def spelled_in_texts(field: str, predicate: Predicate) -> Bounds:
    """Numbers and addresses that texts spell, native or aside."""
    start = prefix(field)
    if (addresses := ends_of_addresses(predicate)) is not None:
        low, high = addresses
        if low > high or high < 0:
            return NOTHING
        return exactly({"range": {TERMS: {"gte": f"{start}A{low:032x}", "lte": f"{start}A{high:032x}"}}})
    if isinstance(predicate, Range) and kind_of_range(predicate) == "number":
        return exactly(_ordered_range(start + "T", predicate))
    return NOTHING


# numbers


def whole_numbers(field: str, predicate: Predicate) -> Bounds | None:
    """A numeric predicate on a native long, or None for another."""
    if isinstance(predicate, Equals) and not predicate.anywhere:
        if predicate.number is None:
            return NOTHING
        bound = Bound("number", "", predicate.number)
        return _whole_range(field, Range(bound, bound))
    if isinstance(predicate, Range):
        return _whole_range(field, predicate) if kind_of_range(predicate) == "number" else NOTHING
    return NOTHING if isinstance(predicate, Network) else None


def _whole_range(field: str, predicate: Range) -> Bounds:
    """Whole numbers compare exactly with whole ones; with a fraction as 64-bit floats, which matters beyond 2^53 only."""
    low, high, exact = -(1 << 63), (1 << 63) - 1, True
    if end := predicate.low:
        if isinstance(end.number, float) and abs(end.number) >= EXACT:
            low, exact = _clamped(end.number - math.ulp(end.number)), False
        else:
            low = math.ceil(end.number) if end.inclusive else math.floor(end.number) + 1
    if end := predicate.high:
        if isinstance(end.number, float) and abs(end.number) >= EXACT:
            high, exact = _clamped(end.number + math.ulp(end.number)), False
        else:
            high = math.floor(end.number) if end.inclusive else math.ceil(end.number) - 1
    low, high = max(low, -(1 << 63)), min(high, (1 << 63) - 1)
    dsl: Dsl = {"range": {field: {"gte": low, "lte": high}}} if low <= high else NONE
    return exactly(dsl) if exact else at_most(dsl)


def _clamped(number: float) -> int:
    return int(min(max(number, -(2.0**64)), 2.0**64))


def numbers_aside(start: str, predicate: Predicate) -> Bounds:
    """A numeric predicate on numbers aside."""
    if isinstance(predicate, Equals) and not predicate.anywhere:
        if predicate.number is None:
            return NOTHING
        bound = Bound("number", "", predicate.number)
        predicate = Range(bound, bound)
    if not isinstance(predicate, Range) or kind_of_range(predicate) != "number":
        return NOTHING
    ends = [end for end in (predicate.low, predicate.high) if end]
    if all(abs(end.number) < EXACT for end in ends):
        return exactly(_ordered_range(start, predicate))
    wide = [Bound("number", "", end.number) if end else None for end in (predicate.low, predicate.high)]
    return at_most(_ordered_range(start, Range(*wide)))


def _ordered_range(start: str, predicate: Range) -> Dsl:
    ends = {"gte": start, "lt": start[:-1] + chr(ord(start[-1]) + 1)}
    if low := predicate.low:
        ends.pop("gte")
        ends["gte" if low.inclusive else "gt"] = start + ordered(low.number)
    if high := predicate.high:
        ends.pop("lt")
        ends["lte" if high.inclusive else "lt"] = start + ordered(high.number)
    return {"range": {TERMS: ends}}


# addresses


def ends_of_addresses(predicate: Predicate) -> tuple[int, int] | None:
    """First and last address of a predicate on addresses, or None for another."""
    if isinstance(predicate, Network):
        return int(predicate.first, 16), int(predicate.last, 16)
    if not isinstance(predicate, Range) or kind_of_range(predicate) != "ip":
        return None
    low, high = predicate.low, predicate.high
    first = int(low.text, 16) + (not low.inclusive) if low else 0
    last = int(high.text, 16) - (not high.inclusive) if high else (1 << 128) - 1
    return first, last


def address_range(field: str, first: int, last: int) -> Dsl:
    if first > last or first >= 1 << 128 or last < 0:
        return NONE
    return {"range": {field: {"gte": str(ipaddress.IPv6Address(first)), "lte": str(ipaddress.IPv6Address(last))}}}


# @timestamp


def of_timestamp(predicate: Predicate) -> Bounds:
    """``@timestamp`` is a text like any other, but kept as a number: text order is time order, so ranges become ranges."""
    if isinstance(predicate, Exists):
        return EVERYTHING
    if isinstance(predicate, Equals) and not predicate.anywhere:
        at = micros(predicate.text.upper())
        return NOTHING if at is None else exactly({"term": {MOMENT: at}})
    if isinstance(predicate, Network):
        return NOTHING
    if isinstance(predicate, Wildcard) and not predicate.anywhere:
        tokens = wildcard_tokens(predicate.pattern)
        if [kind for kind, _ in tokens] == ["text", "*"]:
            bound = Bound("date", tokens[0][1])
            predicate = Range(bound, bound)
    if isinstance(predicate, Range):
        if kind_of_range(predicate) in ("number", "ip"):
            return NOTHING
        low = _first(lambda text: _holds(Range(low=predicate.low), text)) if predicate.low else FIRST_MICROS
        high = _first(lambda text: not _holds(Range(high=predicate.high), text)) - 1 if predicate.high else LAST_MICROS
        return exactly({"range": {MOMENT: {"gte": low, "lte": high}}}) if low <= high else NOTHING
    return at_most(ALL)


def _holds(predicate: Range, text: str) -> bool:
    event: Event = {"x": text}
    return matches(Query("", Match("x", predicate)), event)


def _first(test: Callable[[str], bool]) -> int:
    """The first microsecond whose text passes a test that all later ones pass too; one after the last where none does."""
    low, high = FIRST_MICROS, LAST_MICROS + 1
    while low < high:
        middle = (low + high) // 2
        if test(timestamp_from_micros(middle)):
            high = middle
        else:
            low = middle + 1
    return low
