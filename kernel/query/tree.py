"""The tree of a parsed query: frozen records that every back end (DuckDB, matcher, later Elasticsearch) only reads.

Meaning, in one place:

* A field has zero or more *elements*: a scalar is one element, a list one per entry. A predicate holds for a field when it holds
  for at least one element; so a missing field satisfies no predicate, and ``NOT`` of it is true.
* The *text* of an element is itself (text), ``true``/``false`` (bool), its decimal digits (int) or its shortest JSON form (float).
  Texts are compared after :func:`kernel.query.text.fold`.
"""

from __future__ import annotations

import msgspec


class Exists(msgspec.Struct, frozen=True, tag="exists"):
    """At least one element."""


class Equals(msgspec.Struct, frozen=True, tag="equals"):
    """Text equality; a numeric literal also equals numbers of the same value.

    anywhere: the text occurs somewhere inside (free text and text fields such as ``message``).
    """

    text: str
    number: int | float | None = None
    anywhere: bool = False


class Wildcard(msgspec.Struct, frozen=True, tag="wildcard"):
    """``*`` any run of characters, ``?`` exactly one (a code point); ``\\\\`` before ``*``, ``?`` or ``\\\\`` makes it plain.

    anywhere: need not cover the whole text.
    """

    pattern: str
    anywhere: bool = False


class Regex(msgspec.Struct, frozen=True, tag="regex"):
    """A regular expression found somewhere in the text, upper and lower case alike.

    pattern  as typed
    re2      the same for RE2 over folded text
    python   the same for Python's ``re`` over folded text
    steep    may take exponential time in a backtracking engine
    """

    pattern: str
    re2: str
    python: str
    steep: bool = False


class Network(msgspec.Struct, frozen=True, tag="network"):
    """An address in a range (``first`` … ``last`` as 32 hex digits, :func:`kernel.query.values.ip_hex`), or the literal text."""

    text: str
    first: str
    last: str


class Bound(msgspec.Struct, frozen=True, tag="bound"):
    """One end of a range. ``kind``: number | date | ip | text.

    number  compared with numbers, and with texts that are plain decimal numbers
    date    compared with the first ``len(text)`` characters of a text, so ``<=2026-11-23`` includes that whole day
    ip      ``text`` is the 32-digit hex form
    text    compared with folded texts by code point
    """

    kind: str
    text: str
    number: int | float = 0
    inclusive: bool = True


class Range(msgspec.Struct, frozen=True, tag="range"):
    """Between two bounds of one kind; None is open."""

    low: Bound | None = None
    high: Bound | None = None


Predicate = Exists | Equals | Wildcard | Regex | Network | Range


class Match(msgspec.Struct, frozen=True, tag="match"):
    """``predicate`` holds for ``field``; field "" means any of ``FREE_TEXT_FIELDS``."""

    field: str
    predicate: Predicate


class And(msgspec.Struct, frozen=True, tag="and"):
    """All parts hold; no parts: everything."""

    parts: tuple[And | Or | Not | Match, ...] = ()


class Or(msgspec.Struct, frozen=True, tag="or"):
    """At least one part holds."""

    parts: tuple[And | Or | Not | Match, ...] = ()


class Not(msgspec.Struct, frozen=True, tag="not"):
    """The part does not hold (events that lack the field included)."""

    part: And | Or | Not | Match


Node = And | Or | Not | Match


class Top(msgspec.Struct, frozen=True, tag="top"):
    """``| top field [n]``"""

    field: str
    limit: int = 10


class Histogram(msgspec.Struct, frozen=True, tag="histogram"):
    """``| histogram [interval]``; seconds, 0 = choose."""

    seconds: int = 0


class Count(msgspec.Struct, frozen=True, tag="count"):
    """``| count``"""


class Fields(msgspec.Struct, frozen=True, tag="fields"):
    """``| fields a, b``"""

    names: tuple[str, ...]


class Sort(msgspec.Struct, frozen=True, tag="sort"):
    """``| sort field [asc|desc]``"""

    field: str
    descending: bool = False


Pipe = Top | Histogram | Count | Fields | Sort


class Query(msgspec.Struct, frozen=True):
    """A parsed query: ``text`` as typed, the condition, and what to do with the hits."""

    text: str
    root: Node = And()
    pipes: tuple[Pipe, ...] = ()

    @property
    def sort(self) -> Sort | None:
        """The ``| sort`` pipe, if any."""
        return next((p for p in self.pipes if isinstance(p, Sort)), None)

    @property
    def fields(self) -> tuple[str, ...] | None:
        """The names of ``| fields``, if any."""
        return next((p.names for p in self.pipes if isinstance(p, Fields)), None)


FREE_TEXT_FIELDS: tuple[str, ...] = (
    "message",
    "event.original",
    "process.command_line",
    "process.executable",
    "process.parent.command_line",
    "file.path",
    "registry.path",
    "url.original",
    "url.full",
    "url.domain",
    "dns.question.name",
    "user.name",
    "host.name",
    "rule.name",
    "user_agent.original",
    "process.hash.sha256",
    "file.hash.sha256",
)
"""Where a word without a field name is looked for."""

FREE_IP_FIELDS: tuple[str, ...] = ("source.ip", "destination.ip", "host.ip", "related.ip", "dns.resolved_ip")
"""Where an address without a field name is looked for, beside the texts."""

TEXT_FIELDS: frozenset[str] = frozenset({"message", "event.original", "error.message"})
"""Fields of running text: ``message:failed`` means "contains"."""
