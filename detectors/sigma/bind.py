"""A rule's tree for one class of events: fields bound to keys, what the envelope decides folded away."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from detectors.sigma.ast import EXACT, And, Const, FieldRef, Match, Node, Not, Text, both, either, negate
from detectors.sigma.logsource import CHANNEL, EVENT_CODE, EventClass, Route
from detectors.sigma.predicates import holds


def bind(tree: Node, routes: Sequence[Route], kind: EventClass) -> Node:
    """The tree as it stands for events of class ``kind`` (false where no route covers it), without names of selections."""
    return _bind(tree, routes, kind, partial(_folded, kind=kind))


def bind_whole(tree: Node, routes: Sequence[Route], kind: EventClass) -> Node:
    """The same with everything in it that the rule asks for, to be shown to people."""
    return _bind(tree, routes, kind, _renamed)


Leaf = Callable[[Match, Callable[[str], str]], Node]


def _bind(tree: Node, routes: Sequence[Route], kind: EventClass, leaf: Leaf) -> Node:
    alternatives = []
    for route in routes:
        if route.covers(kind):
            node = _walk(tree, route.bind, leaf)
            alternatives.append(node if route.when is None else both([_walk(route.when, _same, leaf), node]))
    return either(alternatives)


def _same(field: str) -> str:
    return field


def _walk(node: Node, name: Callable[[str], str], leaf: Leaf) -> Node:
    if isinstance(node, Match):
        return leaf(node, name)
    if isinstance(node, Const):
        return node
    if isinstance(node, Not):
        return negate(_walk(node.node, name, leaf))
    parts = [_walk(one, name, leaf) for one in node.nodes]
    return both(parts) if isinstance(node, And) else either(parts)


def _folded(node: Match, name: Callable[[str], str], kind: EventClass) -> Node:
    field = name(node.field)
    predicate = node.predicate
    if isinstance(predicate, FieldRef):
        return Match(field, FieldRef(name(predicate.other), predicate.start, predicate.end))
    if kind.channel or kind.event_id >= 0:
        if field == EVENT_CODE and kind.event_id >= 0:
            return Const(holds(predicate, (str(kind.event_id),)))
        if field == CHANNEL:
            return Const(holds(predicate, (kind.channel,)))
    return Match(field, predicate)


def _renamed(node: Match, name: Callable[[str], str]) -> Node:
    predicate = node.predicate
    if isinstance(predicate, FieldRef):
        predicate = FieldRef(name(predicate.other), predicate.start, predicate.end)
    return Match(name(node.field), predicate, node.selection, node.pattern)


def event_ids_needed(tree: Node) -> frozenset[int] | None:
    """Event numbers outside which a Windows rule's tree is false; None where it names none (so that most classes pass it over)."""
    if isinstance(tree, Match):
        predicate = tree.predicate
        if tree.field != "EventID" or not isinstance(predicate, Text) or predicate.kind != EXACT or not predicate.text.isdecimal():
            return None
        return frozenset({int(predicate.text)})
    if isinstance(tree, (Const, Not)):
        return None
    found = [event_ids_needed(one) for one in tree.nodes]
    named = [ids for ids in found if ids is not None]
    if isinstance(tree, And):
        return frozenset.intersection(*named) if named else None
    return frozenset.union(*named) if len(named) == len(found) else None
