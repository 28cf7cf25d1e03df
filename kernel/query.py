"""The query language for people, parsed to a small tree. (Interface; see the parser's author for the grammar.)"""

from __future__ import annotations

import msgspec


class Query(msgspec.Struct, frozen=True):
    """A parsed query: ``text`` as typed."""

    text: str
