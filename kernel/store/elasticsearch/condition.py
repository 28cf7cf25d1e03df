"""A query's condition → Elasticsearch query DSL, with the meaning of :mod:`kernel.query.tree`.

Each predicate is asked of up to three spaces: the native field, the terms of values aside, and (numbers, addresses) the terms made
of texts. Texts are folded here before they are sent; the server folds what it indexes.
"""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Callable

from kernel.event import Event, timestamp_from_micros
from kernel.query import Query, matches
from kernel.query.text import fold, wildcard_tokens
from kernel.query.tree import (
    FREE_TEXT_FIELDS,
    And,
    Bound,
    Equals,
    Exists,
    Match,
    Network,
    Node,
    Not,
    Predicate,
    Range,
    Regex,
    Wildcard,
)
from kernel.store.elasticsearch import regexp
from kernel.store.elasticsearch.bounds import (
    ALL,
    EVERYTHING,
    NONE,
    NOTHING,
    Bounds,
    Dsl,
    all_of,
    any_of,
    at_most,
    both,
    exactly,
    opposite,
)
from kernel.store.elasticsearch.document import micros
from kernel.store.elasticsearch.fields import LONGEST, MOMENT, TERMS, Layout, in_layout, is_regular, kind_of, text_of
from kernel.store.elasticsearch.terms import EXACT, OVERLAP, ordered, prefix

FIRST_MICROS, LAST_MICROS = -62_135_596_800_000_000, 253_402_300_799_999_999
"""0001-01-01 to the end of 9999."""

_MOST_SINGLE = 6
"""So many ``?`` after a ``*`` are compiled; more of them may need an automaton of exponential size."""

_Space = tuple[str, str]  # indexed field, text before each term


class Condition:
    """Builds queries for a store of one layout.

    simple  leave out what the server found too complex: every pattern then only says which events to read
    """

    def __init__(self, layout: Layout, *, simple: bool = False) -> None:
        self.layout = layout
        self.simple = simple

    def bounds(self, node: Node) -> Bounds:
        """The condition as queries."""
        if isinstance(node, Match):
            fields = (node.field,) if node.field else FREE_TEXT_FIELDS
            return any_of([self.field(field, node.predicate) for field in fields])
        if isinstance(node, Not):
            return opposite(self.bounds(node.part))
        parts = [self.bounds(part) for part in node.parts]
        return all_of(parts) if isinstance(node, And) else any_of(parts)

    def field(self, field: str, predicate: Predicate) -> Bounds:
        """The predicate on one field, wherever its values stand."""
        if isinstance(predicate, Range) and predicate.low is None and predicate.high is None:
            predicate = Exists()
        aside = in_layout(field) in self.layout.aside
        parts = [self.native(field, predicate)] if is_regular(field) else []
        if aside or kind_of(field) == "keyword":
            parts.append(_in_texts(field, predicate))
        if aside:
            parts.append(self.aside(field, predicate))
        if in_layout(field) in self.layout.long:
            parts.append(self.long(field, predicate))
        return any_of(parts)

    # native fields

    def native(self, field: str, predicate: Predicate) -> Bounds:
        kind = kind_of(field)
        if kind == "moment":
            return _moment(predicate)
        if isinstance(predicate, Exists):
            return exactly({"exists": {"field": field}})
        if kind == "boolean":
            test = Match("x", predicate)
            return any_of([exactly({"term": {field: value}}) for value in (True, False) if matches(Query("", test), {"x": value})])
        if kind == "long" and (numbers := _whole(field, predicate)) is not None:
            return numbers
        if kind == "ip" and (addresses := _ends_of_addresses(predicate)) is not None:
            return exactly(_address_range(field, *addresses))
        return self.text((text_of(field), ""), predicate, numbers=kind == "long")

    # values aside

    def aside(self, field: str, predicate: Predicate) -> Bounds:
        start = prefix(field)
        if isinstance(predicate, Exists):
            return exactly({"term": {TERMS: start + "E"}})
        return any_of(
            [
                self.text((TERMS, start + "s"), predicate),
                self.text((TERMS, start + "n"), predicate, numbers=True),
                _numbers(start + "N", predicate),
            ]
        )

    def long(self, field: str, predicate: Predicate) -> Bounds:
        """Texts too long for one term: exact where a plain text is looked for inside, else they have to be read."""
        start = prefix(field)
        unread: Dsl = {"prefix": {TERMS: {"value": start + "L"}}}
        if isinstance(predicate, Exists):
            return NOTHING  # asked already
        if isinstance(predicate, (Equals, Wildcard)):
            whole = isinstance(predicate, Equals)
            if isinstance(predicate, Equals):
                if not predicate.anywhere and len(predicate.text) <= LONGEST:
                    return NOTHING
                literals = [fold(predicate.text)]
            else:
                tokens = wildcard_tokens(predicate.pattern)
                literals = [fold(text) for kind, text in tokens if kind == "text"]
                whole = [kind for kind, _ in tokens] == ["text"]
            pieces = both([_inside(start, literal[:OVERLAP]) for literal in literals])
            if predicate.anywhere and whole and len(literals) == 1 and len(literals[0]) <= OVERLAP:
                return exactly(pieces if literals[0] else unread)
            return at_most(both([unread, pieces]))
        if isinstance(predicate, Range) and _kind(predicate) in ("number", "ip"):
            return NOTHING
        if isinstance(predicate, Network):
            return NOTHING
        return at_most(unread)

    # texts

    def text(self, space: _Space, predicate: Predicate, *, numbers: bool = False) -> Bounds:
        """The predicate on folded texts. ``numbers``: the texts are those of numbers, which only patterns look at."""
        field, start = space
        if isinstance(predicate, Equals):
            if predicate.anywhere:
                return self.wildcard(space, Wildcard(_plain(predicate.text), anywhere=True))
            return NOTHING if numbers else exactly({"term": {field: start + fold(predicate.text)}})
        if isinstance(predicate, Wildcard):
            return self.wildcard(space, predicate)
        if isinstance(predicate, Regex):
            return self.regex(space, predicate)
        if isinstance(predicate, Network) and not numbers:
            return exactly({"term": {field: start + fold(predicate.text)}})
        if isinstance(predicate, Range) and not numbers and _kind(predicate) in ("date", "text"):
            return exactly(_text_range(space, predicate))
        return NOTHING

    def wildcard(self, space: _Space, wildcard: Wildcard) -> Bounds:
        field, start = space
        tokens = wildcard_tokens(wildcard.pattern)
        if wildcard.anywhere:
            tokens = [("*", ""), *tokens, ("*", "")]
        kinds = [kind for kind, _ in tokens]
        exact = "*" not in kinds or kinds[kinds.index("*") :].count("?") <= _MOST_SINGLE
        if self.simple:
            return at_most(_any_term(space))
        single = "?" if exact else "*"
        body = "".join({"*": "*", "?": single}.get(kind) or _plain(fold(text)) for kind, text in tokens)
        dsl: Dsl = {"wildcard": {field: {"value": _plain(start) + body}}}
        return exactly(dsl) if exact else at_most(dsl)

    def regex(self, space: _Space, regex: Regex) -> Bounds:
        field, start = space
        if self.simple:
            return at_most(_any_term(space))
        expression, exact = regexp.lucene(regex.re2)
        if start:
            expression = f"{regexp.escaped(start)}({expression})"
        dsl: Dsl = {"regexp": {field: {"value": expression, "flags": "NONE", "max_determinized_states": 20_000}}}
        return exactly(dsl) if exact else at_most(dsl)


def _any_term(space: _Space) -> Dsl:
    field, start = space
    return {"prefix": {field: {"value": start}}} if start else {"exists": {"field": field}}


def _inside(start: str, literal: str) -> Dsl:
    return {"wildcard": {TERMS: {"value": _plain(start + "L") + "*" + _plain(literal) + "*"}}} if literal else ALL


def _plain(text: str) -> str:
    """A text as part of a wildcard query."""
    return text.replace("\\", "\\\\").replace("*", "\\*").replace("?", "\\?")


def _kind(predicate: Range) -> str:
    end = predicate.low or predicate.high
    return end.kind if end else ""


def _text_range(space: _Space, predicate: Range) -> Dsl:
    """Dates compare the first characters only: ``<= 2026`` is all that comes before the first text after every ``2026…``."""
    field, start = space
    ends: dict[str, str] = {}
    date = _kind(predicate) == "date"
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


def _in_texts(field: str, predicate: Predicate) -> Bounds:
    """Numbers and addresses that texts spell, native or aside."""
    start = prefix(field)
    if (addresses := _ends_of_addresses(predicate)) is not None:
        low, high = addresses
        if low > high or high < 0:
            return NOTHING
        return exactly({"range": {TERMS: {"gte": f"{start}A{low:032x}", "lte": f"{start}A{high:032x}"}}})
    if isinstance(predicate, Range) and _kind(predicate) == "number":
        return exactly(_ordered_range(start + "T", predicate))
    return NOTHING


# numbers


def _whole(field: str, predicate: Predicate) -> Bounds | None:
    """A numeric predicate on a native long, or None for another."""
    if isinstance(predicate, Equals) and not predicate.anywhere:
        if predicate.number is None:
            return NOTHING
        bound = Bound("number", "", predicate.number)
        return _whole_range(field, Range(bound, bound))
    if isinstance(predicate, Range):
        return _whole_range(field, predicate) if _kind(predicate) == "number" else NOTHING
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


def _numbers(start: str, predicate: Predicate) -> Bounds:
    """A numeric predicate on numbers aside."""
    if isinstance(predicate, Equals) and not predicate.anywhere:
        if predicate.number is None:
            return NOTHING
        bound = Bound("number", "", predicate.number)
        predicate = Range(bound, bound)
    if not isinstance(predicate, Range) or _kind(predicate) != "number":
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


def _ends_of_addresses(predicate: Predicate) -> tuple[int, int] | None:
    """First and last address of a predicate on addresses, or None for another."""
    if isinstance(predicate, Network):
        return int(predicate.first, 16), int(predicate.last, 16)
    if not isinstance(predicate, Range) or _kind(predicate) != "ip":
        return None
    low, high = predicate.low, predicate.high
    first = int(low.text, 16) + (not low.inclusive) if low else 0
    last = int(high.text, 16) - (not high.inclusive) if high else (1 << 128) - 1
    return first, last


def _address_range(field: str, first: int, last: int) -> Dsl:
    if first > last or first >= 1 << 128 or last < 0:
        return NONE
    return {"range": {field: {"gte": str(ipaddress.IPv6Address(first)), "lte": str(ipaddress.IPv6Address(last))}}}


# @timestamp


def _moment(predicate: Predicate) -> Bounds:
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
        if _kind(predicate) in ("number", "ip"):
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
