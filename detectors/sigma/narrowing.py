"""From Sigma rules to a query that finds at least what they match, for an event store to leave out most of what they do not.

The query decides nothing: each event that it finds is looked at by the engine. So a part of a rule that the query language cannot
say in exactly the same words is left out of it, which finds more. ``NOT`` is left out whole, for there finding more would be less.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

from detectors.sigma import ast
from detectors.sigma.ast import CONTAINS, EXACT, GLOB, KEYWORDS, PREFIX
from detectors.sigma.derived import parse
from detectors.sigma.logsource import CHANNEL, EVENT_CODE, Route
from kernel.query import Query
from kernel.query.tree import TEXT_FIELDS, And, Equals, Exists, Match, Node, Or, Predicate, Wildcard

ALL = And()
_MOST = 400
"""Conditions of one rule; a longer one is left to the engine, but for the kind of event."""
_LIKE_A_NUMBER = re.compile(r"[0-9eE+.-]*", re.ASCII)
"""Texts that may be parts of a number, which the two write in different ways (1.0 and 1)."""
DATASET = "event.dataset"


def narrowed(rules: Iterable[tuple[ast.Node, Sequence[Route]]]) -> Query:
    """A query that is true for every event that one of the rules (tree and routes) matches."""
    found = [_rule(tree, route) for tree, routes in rules for route in routes]
    return Query("Sigma", _either(found))


def fields_read(rules: Iterable[tuple[ast.Node, Sequence[Route]]]) -> frozenset[str] | None:
    """Fields of events that the rules look at; None for all of them (keywords)."""
    found: set[str] = {DATASET, CHANNEL, EVENT_CODE, "winlog.event_id"}
    for tree, routes in rules:
        for route in routes:
            names = {route.bind(field) for field in ast.fields_of(tree)}
            names |= ast.fields_of(route.when) if route.when is not None else set()
            if KEYWORDS in names:
                return None
            found.update(key for name in names for key in _keys(name))
    return frozenset(found)


def _rule(tree: ast.Node, route: Route) -> Node:
    of_kind = _kind(route)
    condition = _walk(tree, route.bind)
    if route.when is not None:
        condition = _both([_walk(route.when, lambda field: field), condition])
    return _both([of_kind, condition if _size(condition) <= _MOST else ALL])


def _kind(route: Route) -> Node:
    """The events that a route is about (logsource.Route.covers)."""
    if not route.channel:
        return _either([Match(DATASET, _glob(pattern)) for pattern in route.datasets])
    if route.channel == "*":
        return _either([Match(CHANNEL, Exists()), Match(DATASET, Wildcard("windows.*"))])
    channel = Match(CHANNEL, Equals(route.channel)) if route.channel.isascii() else ALL
    codes = [Match(field, Equals(str(code), code)) for code in sorted(route.event_ids) for field in (EVENT_CODE, "winlog.event_id")]
    return _both([channel, _either(codes) if codes else ALL])


def _glob(pattern: str) -> Predicate:
    if not pattern.isascii() or "[" in pattern:
        return Exists()
    return Wildcard(pattern.replace("\\", "\\\\")) if "*" in pattern or "?" in pattern else Equals(pattern)


def _walk(node: ast.Node, bind: Callable[[str], str]) -> Node:
    if isinstance(node, ast.Match):
        return _leaf(bind(node.field), node.predicate)
    if isinstance(node, ast.And):
        return _both([_walk(one, bind) for one in node.nodes])
    if isinstance(node, ast.Or):
        return _either([_walk(one, bind) for one in node.nodes])
    if isinstance(node, ast.Const) and not node.value:
        return Or()
    return ALL


def _leaf(field: str, predicate: ast.Predicate) -> Node:
    if field == KEYWORDS or isinstance(predicate, ast.Null) or (isinstance(predicate, ast.Exists) and not predicate.wanted):
        return ALL
    if field.startswith("="):
        return _either([Match(key, Exists()) for key in _keys(field)])
    return _either([Match(key, _predicate(key, predicate)) for key in _keys(field)])


def _keys(field: str) -> tuple[str, ...]:
    """The fields of an event behind a bound field."""
    if field.startswith("="):
        return parse(field)[1]
    return tuple(field.split("|"))


def _predicate(key: str, predicate: ast.Predicate) -> Predicate:
    """What the predicate implies. Both compare without case; letters beyond ASCII they fold in different ways."""
    if not isinstance(predicate, ast.Text):
        return Exists()
    text = "".join(part[1:] for part in predicate.parts) if predicate.kind == GLOB else predicate.text
    if not text or not text.isascii() or _LIKE_A_NUMBER.fullmatch(text):
        return Exists()
    within = key in TEXT_FIELDS
    if predicate.kind == EXACT:
        return Equals(text.lower(), anywhere=within)
    return Wildcard(_pattern(predicate).lower(), anywhere=within)


def _pattern(predicate: ast.Text) -> str:
    if predicate.kind == GLOB:
        return "".join(_plain(part[1:]) if part[0] == "=" else part for part in predicate.parts)
    text = _plain(predicate.text)
    if predicate.kind == PREFIX:
        return f"{text}*"
    return f"*{text}*" if predicate.kind == CONTAINS else f"*{text}"


def _plain(text: str) -> str:
    return re.sub(r"[\\*?]", lambda found: f"\\{found[0]}", text)


def _both(nodes: Sequence[Node]) -> Node:
    kept = [node for node in nodes if node != ALL]
    return kept[0] if len(kept) == 1 else And(tuple(kept))


def _either(nodes: Sequence[Node]) -> Node:
    if ALL in nodes:
        return ALL
    kept = list(dict.fromkeys(nodes))
    return kept[0] if len(kept) == 1 else Or(tuple(kept))


def _size(node: Node) -> int:
    return sum(map(_size, node.parts)) if isinstance(node, And | Or) else 1
