"""What the word index (:mod:`.wordindex`) can say of a query: for parts of its condition, the words that every hit must have.

Like a need (:mod:`.needs`) a lead is sound: no hit is elsewhere. A *sure* one is exact as well: each row with the words is a hit.
"""

from __future__ import annotations

import msgspec

from kernel.query.text import wildcard_tokens
from kernel.query.tree import FREE_TEXT_FIELDS, And, Equals, Match, Node, Not, Or, Wildcard
from kernel.store.lake.columns import DICTIONARY_COLUMNS
from kernel.store.lake.words import literal_of

MOST_CHOICES, MOST_PIECES = 8, 4
"""Every piece is looked up in every run: of a longer OR words say nothing, of a longer text its longest pieces say enough."""

_FIELDS = frozenset(("", *FREE_TEXT_FIELDS)) - frozenset(DICTIONARY_COLUMNS)
"""Of a field whose values repeat, its column is read faster than the index."""


class Lead(msgspec.Struct, frozen=True):
    """At least one of the choices; all pieces of a choice."""

    choices: tuple[tuple[bytes, ...], ...]
    sure: bool


def parts_of(root: Node) -> tuple[Node, ...]:
    """The conditions that all have to hold."""
    return root.parts if isinstance(root, And) else (root,)


def lead_of(node: Node) -> Lead | None:
    """None: words say nothing of it."""
    if isinstance(node, Match):
        return _of_match(node) if node.field in _FIELDS else None
    if isinstance(node, Not):
        return None
    leads = [lead_of(part) for part in node.parts]
    known = [lead for lead in leads if lead is not None]
    if isinstance(node, Or):
        choices = tuple(choice for lead in known for choice in lead.choices)
        if not known or len(known) < len(leads) or len(choices) > MOST_CHOICES:
            return None
        return Lead(choices, all(lead.sure for lead in known))
    return msgspec.structs.replace(known[0], sure=False) if known else None  # one of the parts is enough to be sound


def _of_match(match: Match) -> Lead | None:
    predicate = match.predicate
    if isinstance(predicate, Equals):
        literal = literal_of(predicate.text)
        return _all_of(literal.pieces, sure=not match.field and predicate.anywhere and literal.whole)
    if isinstance(predicate, Wildcard):
        texts = [text for kind, text in wildcard_tokens(predicate.pattern) if kind == "text"]
        return _all_of(tuple(dict.fromkeys(piece for text in texts for piece in literal_of(text).pieces)), sure=False)
    return None


def _all_of(pieces: tuple[bytes, ...], *, sure: bool) -> Lead | None:
    longest = sorted(pieces, key=len, reverse=True)[:MOST_PIECES]
    return Lead((tuple(longest),), sure) if pieces else None
