"""How a field stands in an Elasticsearch document, and under which names a query finds it.

A document carries the event's own fields under their ECS names, each at the top level (``subobjects: false``: ``a`` and ``a.b`` do
not exclude each other). Which values stand there:

* a field of ``FIELD_TYPES`` with values that fit its type exactly;
* any other field with a regular name and nothing but texts (made by the dynamic template, at most ``MOST_DYNAMIC`` names).

Everything else is kept *aside*: as JSON in ``liandun.store.aside``, findable by terms (see :mod:`.terms`). So no value can conflict
with a mapping, and the mapping cannot grow without end.

Sub-fields of a native field: ``.folded`` (lower-case text of numbers, addresses and dates), ``.as_written`` (its texts with their
letter case, for top lists).
"""

from __future__ import annotations

import re
from functools import lru_cache

import msgspec

from kernel.ecs_fields import FIELD_TYPES
from kernel.query.tree import TEXT_FIELDS

ARRIVAL = "event.ingested"
OWN = "liandun.store."
SEQUENCE = OWN + "sequence"  # number of the commit
MOMENT = OWN + "moment"  # @timestamp in microseconds since the epoch, for years that date_nanos cannot hold too
KEY = OWN + "key"  # event.id with its letter case, second key of the order
TERMS = OWN + "terms"
VALUES = OWN + "values"
ASIDE = OWN + "aside"

FOLDED = ".folded"
AS_WRITTEN = ".as_written"

LONGEST = 8_000
"""Longest text in characters that is indexed as one term (Lucene takes 32,766 bytes)."""

MOST_DYNAMIC = 1_500
"""Names beside those of ``FIELD_TYPES`` that get a mapping of their own in one backing index."""

OTHERS = "*"
"""In :class:`Layout`: any field that ``FIELD_TYPES`` does not name."""

NO_VALUES = TEXT_FIELDS | {"event.id"}
"""Fields without doc values: long texts that nobody counts would double the disk they take. Such a top list reads the events."""

_REGULAR = re.compile(r"[A-Za-z0-9@][\w@-]*(\.[\w@-]+)*", re.ASCII)


class Layout(msgspec.Struct, frozen=True):
    """Fields (as :func:`in_layout` names them) about which a reader must know something.

    aside      some values are kept aside
    long       some texts are too long for one term
    uncounted  some values cannot be counted by the server, see the term ``X``
    """

    aside: frozenset[str] = frozenset()
    long: frozenset[str] = frozenset()
    uncounted: frozenset[str] = frozenset()

    def __or__(self, other: Layout) -> Layout:
        return Layout(self.aside | other.aside, self.long | other.long, self.uncounted | other.uncounted)


def kind_of(field: str) -> str:
    """``moment`` for @timestamp, else the type in ``FIELD_TYPES``, else ``keyword``."""
    if field == "@timestamp":
        return "moment"
    kind = FIELD_TYPES.get(field, "keyword")
    return kind if kind in ("long", "ip", "date", "boolean") else "keyword"


@lru_cache(maxsize=65_536)
def is_regular(field: str) -> bool:
    """Whether a document may carry the field under its own name."""
    if field in FIELD_TYPES:
        return True
    return (
        len(field) <= 200
        and _REGULAR.fullmatch(field) is not None
        and not field.startswith(OWN)
        and not field.endswith((FOLDED, AS_WRITTEN))
    )


def text_of(field: str) -> str:
    """The indexed field that holds the folded texts of a native field ("" for booleans and @timestamp)."""
    kind = kind_of(field)
    if kind == "keyword":
        return field
    return field + FOLDED if kind in ("long", "ip", "date") else ""


def in_layout(field: str) -> str:
    """The name under which a field's peculiarities are remembered in the store's state."""
    return field if field in FIELD_TYPES else OTHERS
