"""A tree's truth by walking it: slow, plain, and the meaning that everything faster must equal."""

from __future__ import annotations

from collections.abc import Callable

from detectors.sigma.ast import And, Const, FieldRef, Match, Node, Not
from detectors.sigma.predicates import Texts, holds, refers

Fetch = Callable[[str], Texts]
"""Bound field → its texts, None where the event has none."""


def evaluate(node: Node, fetch: Fetch) -> bool:
    """Truth of ``node`` for the event behind ``fetch``."""
    if isinstance(node, Match):
        if isinstance(node.predicate, FieldRef):
            return refers(node.predicate, fetch(node.field), fetch(node.predicate.other))
        return holds(node.predicate, fetch(node.field))
    if isinstance(node, Const):
        return node.value
    if isinstance(node, Not):
        return not evaluate(node.node, fetch)
    if isinstance(node, And):
        return all(evaluate(one, fetch) for one in node.nodes)
    return any(evaluate(one, fetch) for one in node.nodes)


def on_texts(node: Node, texts: Texts) -> bool:
    """Truth of a one-field subtree."""
    return evaluate(node, lambda _field: texts)
