"""Who overlaps, and when nobody is on duty: pure."""

from __future__ import annotations

from collections.abc import Iterable

Span = tuple[str, str]
"""From (included) to (not included), @timestamp texts, which sort as the moments do."""


def overlap(one: Span, other: Span) -> bool:
    """Do they share a moment?"""
    return one[0] < other[1] and other[0] < one[1]


def gaps(spans: Iterable[Span], start: str, end: str) -> list[Span]:
    """The parts of ``start`` to ``end`` that no span covers, in order."""
    found: list[Span] = []
    at = start
    for begin, finish in sorted(spans):
        if begin >= end:
            break
        if begin > at:
            found.append((at, begin))
        at = max(at, finish)
    if at < end:
        found.append((at, end))
    return found


def next_person(on_duty: list[str], coming: list[str], after: str, caller: str = "") -> str | None:
    """Who is called after ``after``, never ``caller``: the next one on duty, then those of the coming shift.

    For an ``after`` that is in neither, the first one. None where nobody is left.
    """
    chain = list(dict.fromkeys([*on_duty, *coming]))
    rest = chain[chain.index(after) + 1 :] if after in chain else chain
    return next((name for name in rest if name != caller), None)
