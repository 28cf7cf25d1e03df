"""Truth of one predicate on the texts of one field: the reference meaning that the compiled tables must equal."""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache

from detectors.sigma.ast import (
    CONTAINS,
    EXACT,
    GLOB,
    PREFIX,
    Cidr,
    Compare,
    Exists,
    FieldRef,
    Null,
    Predicate,
    Regex,
    Text,
    TimePart,
)
from detectors.sigma.regexes import regex_searcher
from kernel.event import parse_timestamp

Texts = tuple[str, ...] | None


def holds(predicate: Predicate, texts: Texts) -> bool:
    """True where the predicate holds for any of ``texts`` (None: the field is missing). Not for FieldRef, see :func:`refers`."""
    if isinstance(predicate, Null):
        return texts is None or not any(texts)
    if isinstance(predicate, Exists):
        return (texts is not None) is predicate.wanted
    if not texts:
        return False
    test = tester(predicate)
    return any(map(test, texts))


def refers(predicate: FieldRef, texts: Texts, others: Texts) -> bool:
    """True where one of ``texts`` equals (starts with, ends with, contains) one of ``others``, without case."""
    if not texts or not others:
        return False
    lowered = [other.lower() for other in others]
    for text in map(str.lower, texts):
        for other in lowered:
            if predicate.start and predicate.end:
                found = other in text
            elif predicate.start:
                found = text.startswith(other)
            elif predicate.end:
                found = text.endswith(other)
            else:
                found = text == other
            if found:
                return True
    return False


def tester(predicate: Predicate) -> Callable[[str], bool]:
    """A function of one (present) text."""
    return regex_searcher(predicate.pattern, predicate.flags) if isinstance(predicate, Regex) else _tester(predicate)


@lru_cache(maxsize=200_000)
def _tester(predicate: Predicate) -> Callable[[str], bool]:
    if isinstance(predicate, Text):
        return _text_tester(predicate)
    if isinstance(predicate, Cidr):
        return _cidr_tester(predicate)
    if isinstance(predicate, Compare):
        return _compare_tester(predicate)
    if isinstance(predicate, TimePart):
        return _time_tester(predicate)
    raise AssertionError(f"{predicate} is no predicate of one text")


def _text_tester(predicate: Text) -> Callable[[str], bool]:
    wanted, kind = predicate.text, predicate.kind
    if kind == GLOB:
        matches = glob_tester(predicate.parts)
        return matches if predicate.cased else lambda text: matches(text.lower())
    if predicate.cased:
        if kind == EXACT:
            return lambda text: text == wanted
        if kind == PREFIX:
            return lambda text: text.startswith(wanted)
        if kind == CONTAINS:
            return lambda text: wanted in text
        return lambda text: text.endswith(wanted)
    if kind == EXACT:
        return lambda text: text.lower() == wanted
    if kind == PREFIX:
        return lambda text: text.lower().startswith(wanted)
    if kind == CONTAINS:
        return lambda text: wanted in text.lower()
    return lambda text: text.lower().endswith(wanted)


def glob_tester(parts: tuple[str, ...]) -> Callable[[str], bool]:
    """Whole-text wildcard match of an (already lowered) text.

    Cut at the stars, the pattern is pieces of fixed length; each is looked for to the right of the one before it, which never has
    to be taken back. So the time is linear in the text for each piece.
    """
    pieces: list[tuple[str, ...]] = [()]
    for part in parts:
        if part == "*":
            pieces.append(())
        else:
            pieces[-1] = (*pieces[-1], part)
    head, *middle = map(_piece, pieces)
    if not middle:
        return lambda text: head(text, 0, True) == len(text)
    tail_length = sum(len(part) - 1 if part[0] == "=" else 1 for part in pieces[-1])
    *between, tail = middle

    def matches(text: str) -> bool:
        position = head(text, 0, True)
        for find in between:
            if position < 0:
                return False
            position = find(text, position, False)
        end = len(text) - tail_length
        return 0 <= position <= end and tail(text, end, True) >= 0

    return matches


Find = Callable[[str, int, bool], int]
"""(text, from where, exactly there) → end of the piece, -1 where it is not found."""


def _piece(parts: tuple[str, ...]) -> Find:
    if all(part[0] == "=" for part in parts):
        literal = "".join(part[1:] for part in parts)

        def find_literal(text: str, start: int, there: bool) -> int:
            if there:
                return start + len(literal) if text.startswith(literal, start) else -1
            found = text.find(literal, start)
            return -1 if found < 0 else found + len(literal)

        return find_literal
    pattern = re.compile("".join(re.escape(part[1:]) if part[0] == "=" else "." for part in parts), re.DOTALL)

    def find_pattern(text: str, start: int, there: bool) -> int:
        match = pattern.match(text, start) if there else pattern.search(text, start)
        return -1 if match is None else match.end()

    return find_pattern


@lru_cache(maxsize=4096)
def parse_address(text: str) -> tuple[int, int] | None:
    """(version, integer) of an IP address, an IPv4-mapped one as IPv4; None for anything else."""
    try:
        address = ipaddress.ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.version, int(address)


def network_range(network: str) -> tuple[int, int, int]:
    """(version, shift, prefix): an address of that version lies within where ``address >> shift == prefix``."""
    parsed = ipaddress.ip_network(network)
    shift = parsed.max_prefixlen - parsed.prefixlen
    return parsed.version, shift, int(parsed.network_address) >> shift


def _cidr_tester(predicate: Cidr) -> Callable[[str], bool]:
    version, shift, prefix = network_range(predicate.network)

    def inside(text: str) -> bool:
        address = parse_address(text)
        return address is not None and address[0] == version and address[1] >> shift == prefix

    return inside


def number_of(text: str) -> float | None:
    """The number that a text says (decimal, or hexadecimal with 0x), or None."""
    try:
        number = float(int(text, 16)) if text[:2] in ("0x", "0X") else float(text)
    except (ValueError, OverflowError):
        return None
    return None if math.isnan(number) else number


def _compare_tester(predicate: Compare) -> Callable[[str], bool]:
    op, limit = predicate.op, predicate.number

    def compare(text: str) -> bool:
        number = number_of(text)
        if number is None:
            return False
        if op == "lt":
            return number < limit
        if op == "lte":
            return number <= limit
        return number > limit if op == "gt" else number >= limit

    return compare


def _time_tester(predicate: TimePart) -> Callable[[str], bool]:
    unit, wanted = predicate.unit, predicate.number

    def part_equals(text: str) -> bool:
        stamp = parse_timestamp(text)
        if stamp is None:
            return False
        moment = datetime.fromisoformat(stamp)
        part: int = moment.isocalendar().week if unit == "week" else getattr(moment, unit)
        return part == wanted

    return part_equals
