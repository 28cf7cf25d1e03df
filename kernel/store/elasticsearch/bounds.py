"""Elasticsearch queries that say what surely matches and what may match.

Where the server can answer exactly, both are the same. Otherwise only the events between the two have to be read and asked
:mod:`kernel.query.matcher`: so counts and top lists stay right without reading everything. NOT swaps the two ends.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

Dsl = dict[str, Any]

NONE: Dsl = {"match_none": {}}
ALL: Dsl = {"match_all": {}}


class Bounds(msgspec.Struct, frozen=True):
    """``surely`` ⊆ what is meant ⊆ ``maybe``."""

    surely: Dsl
    maybe: Dsl

    @property
    def exact(self) -> bool:
        return self.surely is self.maybe


def exactly(dsl: Dsl) -> Bounds:
    """What the server can answer by itself."""
    return Bounds(dsl, dsl)


def at_most(dsl: Dsl) -> Bounds:
    """Candidates only: nothing is sure."""
    return exactly(NONE) if dsl is NONE else Bounds(NONE, dsl)


NOTHING = exactly(NONE)
EVERYTHING = exactly(ALL)


def any_of(parts: Sequence[Bounds]) -> Bounds:
    """At least one holds."""
    maybe = either([part.maybe for part in parts])
    return exactly(maybe) if all(part.exact for part in parts) else Bounds(either([part.surely for part in parts]), maybe)


def all_of(parts: Sequence[Bounds]) -> Bounds:
    """All hold."""
    maybe = both([part.maybe for part in parts])
    return exactly(maybe) if all(part.exact for part in parts) else Bounds(both([part.surely for part in parts]), maybe)


def opposite(part: Bounds) -> Bounds:
    """The part does not hold; events that lack the field included."""
    maybe = without(part.surely)
    return exactly(maybe) if part.exact else Bounds(without(part.maybe), maybe)


def either(parts: Sequence[Dsl]) -> Dsl:
    """OR."""
    useful = [part for part in parts if part is not NONE]
    if any(part is ALL for part in useful):
        return ALL
    if len(useful) < 2:
        return useful[0] if useful else NONE
    return {"bool": {"should": useful, "minimum_should_match": 1}}


def both(parts: Sequence[Dsl]) -> Dsl:
    """AND, without scores."""
    useful = [part for part in parts if part is not ALL]
    if any(part is NONE for part in useful):
        return NONE
    if len(useful) < 2:
        return useful[0] if useful else ALL
    return {"bool": {"filter": useful}}


def without(part: Dsl) -> Dsl:
    """NOT."""
    if part is NONE:
        return ALL
    return NONE if part is ALL else {"bool": {"must_not": [part]}}
