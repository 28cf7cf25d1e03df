"""What must be found in a value for a one-field subtree to differ from its default.

The default is the subtree's truth for a present, non-empty value in which nothing is found. ``triggers_of`` names a cheap set of
findings one of which must be there before the truth can change; only then is the subtree evaluated.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from detectors.sigma.ast import CONTAINS, EXACT, GLOB, And, Const, Exists, Match, Node, Not, Null, Regex, Text

Trigger: TypeAlias = tuple[str, str | int]
"""(kind of text predicate, lowered text) or ("regex", number of the pattern)."""

ALWAYS: Trigger = ("always", "")
"""Nothing can be looked for (a network, a number): evaluate for every value."""

_ALWAYS_COST = 1_000_000.0


def assume_absent(node: Node) -> bool:
    """Truth of a subtree for a present, non-empty value in which no literal, expression, network or number is found."""
    if isinstance(node, Match):
        predicate = node.predicate
        if isinstance(predicate, Exists):
            return predicate.wanted
        # ``*`` alone: present is enough
        return isinstance(predicate, Text) and predicate.kind == CONTAINS and not predicate.text
    if isinstance(node, Const):
        return node.value
    if isinstance(node, Not):
        return not assume_absent(node.node)
    if isinstance(node, And):
        return all(map(assume_absent, node.nodes))
    return any(map(assume_absent, node.nodes))


class Numbers(msgspec.Struct):
    """What the choice of triggers needs to know: numbers of the regular expressions that are scanned for in one pass, and how many
    of the field's subtrees use a text. What many rules look for (``http``, ``\\appdata\\``) is common in events too."""

    regexes: dict[tuple[str, str], int]
    uses: dict[str, int]


def triggers_of(node: Node, wanted: bool, numbers: Numbers) -> frozenset[Trigger]:
    """Findings one of which must be there for ``node`` (by default ``not wanted``) to become ``wanted``."""
    return _cheapest(node, wanted, numbers)[0]


def count_uses(node: Node, uses: dict[str, int]) -> None:
    """Add the texts of a subtree to ``uses``."""
    if isinstance(node, Match):
        if isinstance(node.predicate, Text):
            text = node.predicate.text.lower()
            uses[text] = uses.get(text, 0) + 1
    elif isinstance(node, Not):
        count_uses(node.node, uses)
    elif not isinstance(node, Const):
        for one in node.nodes:
            count_uses(one, uses)


def _cheapest(node: Node, wanted: bool, numbers: Numbers) -> tuple[frozenset[Trigger], float]:
    if isinstance(node, Match):
        return _leaf(node, wanted, numbers)
    if isinstance(node, Const):
        return frozenset(), 0.0
    if isinstance(node, Not):
        return _cheapest(node.node, not wanted, numbers)
    parts = [one for one in node.nodes if assume_absent(one) is not wanted]
    found = [_cheapest(one, wanted, numbers) for one in parts]
    if isinstance(node, And) is wanted:  # all parts must change: the cheapest one tells
        return min(found, key=lambda pair: pair[1])
    return frozenset().union(*(triggers for triggers, _ in found)), sum(cost for _, cost in found)


def _leaf(node: Match, wanted: bool, numbers: Numbers) -> tuple[frozenset[Trigger], float]:
    predicate = node.predicate
    if isinstance(predicate, (Null, Exists)):
        return frozenset(), 0.0  # constant for a present, non-empty value
    if isinstance(predicate, Text):
        text = predicate.text.lower()
        if not text or not wanted:
            return (frozenset(), 0.0) if not text and predicate.kind == CONTAINS else (frozenset({ALWAYS}), _ALWAYS_COST)
        kind = CONTAINS if predicate.kind == GLOB else predicate.kind
        return frozenset({(kind, text)}), _text_cost(kind, len(text)) * numbers.uses.get(text, 1)
    if isinstance(predicate, Regex):
        number = numbers.regexes.get((predicate.pattern, predicate.flags))
        if number is not None:
            return frozenset({("regex", number)}), 3.0
    return frozenset({ALWAYS}), _ALWAYS_COST


def _text_cost(kind: str, length: int) -> float:
    """How often a text of this length is about to be found: long ones seldom."""
    if kind == EXACT:
        return 1.0
    return 1.0 + 400.0 / (length * length)
