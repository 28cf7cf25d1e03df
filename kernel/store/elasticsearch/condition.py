"""A query's condition → Elasticsearch query DSL, with the meaning of :mod:`kernel.query.tree`.

Each predicate is asked of up to three spaces: the native field, the terms of values aside, and (numbers, addresses) the terms made
of texts. Texts are folded here before they are sent; the server folds what it indexes.
"""

from __future__ import annotations

from kernel.query import Query, matches
from kernel.query.text import fold, wildcard_tokens
from kernel.query.tree import (
    FREE_TEXT_FIELDS,
    And,
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
from kernel.store.elasticsearch.fields import LONGEST, TERMS, Layout, in_layout, is_regular, kind_of, text_of
from kernel.store.elasticsearch.ranges import (
    address_range,
    ends_of_addresses,
    kind_of_range,
    numbers_aside,
    of_timestamp,
    spelled_in_texts,
    text_range,
    whole_numbers,
)
from kernel.store.elasticsearch.terms import OVERLAP, prefix

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
            parts.append(spelled_in_texts(field, predicate))
        if aside:
            parts.append(self.aside(field, predicate))
        if in_layout(field) in self.layout.long:
            parts.append(self.long(field, predicate))
        return any_of(parts)

    # native fields

    def native(self, field: str, predicate: Predicate) -> Bounds:
        kind = kind_of(field)
        if kind == "moment":
            return of_timestamp(predicate)
        if isinstance(predicate, Exists):
            return exactly({"exists": {"field": field}})
        if kind == "boolean":
            test = Match("x", predicate)
            return any_of([exactly({"term": {field: value}}) for value in (True, False) if matches(Query("", test), {"x": value})])
        if kind == "long" and (numbers := whole_numbers(field, predicate)) is not None:
            return numbers
        if kind == "ip" and (addresses := ends_of_addresses(predicate)) is not None:
            return exactly(address_range(field, *addresses))
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
                numbers_aside(start + "N", predicate),
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
        if isinstance(predicate, Range) and kind_of_range(predicate) in ("number", "ip"):
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
        if isinstance(predicate, Range) and not numbers and kind_of_range(predicate) in ("date", "text"):
            return exactly(text_range(space, predicate))
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
