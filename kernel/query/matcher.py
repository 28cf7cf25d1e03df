"""The meaning of a query, executable: does it match one event? Other back ends are tested against this one.

Expects an event as the store keeps it (see :func:`kernel.store.storable.storable`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from kernel.event import Event
from kernel.query.re2 import re2_search
from kernel.query.text import element_text, fold, wildcard_tokens
from kernel.query.tree import (
    FREE_TEXT_FIELDS,
    And,
    Bound,
    Equals,
    Exists,
    Match,
    Network,
    Node,
    Not,
    Predicate,
    Query,
    Range,
    Regex,
    Wildcard,
)
from kernel.query.values import PLAIN_NUMBER, ip_hex

_Test = Callable[[Any], bool]
_PLAIN_NUMBER = re.compile(PLAIN_NUMBER)


def matches(query: Query, event: Event) -> bool:
    """True when the event satisfies the condition of the query (its pipes do not matter)."""
    return _compiled(query.root)(event)


@lru_cache(maxsize=512)
def _compiled(node: Node) -> Callable[[Event], bool]:
    if isinstance(node, Match):
        test = _predicate(node.predicate)
        fields = (node.field,) if node.field else FREE_TEXT_FIELDS
        return lambda event: any(test(element) for field in fields for element in elements(event.get(field)))
    if isinstance(node, Not):
        inner = _compiled(node.part)
        return lambda event: not inner(event)
    parts = [_compiled(part) for part in node.parts]
    if isinstance(node, And):
        return lambda event: all(part(event) for part in parts)
    return lambda event: any(part(event) for part in parts)


def elements(value: Any) -> Iterator[Any]:
    """The elements of a field's value: none for a missing one, one for a scalar."""
    if isinstance(value, list):
        yield from value
    elif value is not None:
        yield value


def _predicate(predicate: Predicate) -> _Test:
    if isinstance(predicate, Exists):
        return lambda element: True
    if isinstance(predicate, Equals):
        return _equals(predicate)
    if isinstance(predicate, Wildcard):
        return _searched(re.compile(wildcard_expression(predicate), re.DOTALL))
    if isinstance(predicate, Regex):
        if predicate.steep:
            return lambda element: re2_search(predicate.re2, fold(element_text(element)))
        return _searched(re.compile(predicate.python, re.DOTALL))
    if isinstance(predicate, Network):
        return _network(predicate)
    return _range(predicate)


def wildcard_expression(wildcard: Wildcard) -> str:
    """The wildcard as a regular expression over folded text."""
    body = "".join({"*": ".*", "?": "."}.get(kind) or re.escape(fold(text)) for kind, text in wildcard_tokens(wildcard.pattern))
    return body if wildcard.anywhere else rf"\A{body}\Z"


def _searched(expression: re.Pattern[str]) -> _Test:
    return lambda element: expression.search(fold(element_text(element))) is not None


def _is_number(element: Any) -> bool:
    return isinstance(element, (int, float)) and not isinstance(element, bool)


def _equals(predicate: Equals) -> _Test:
    wanted, number = fold(predicate.text), predicate.number
    if predicate.anywhere:
        return lambda element: wanted in fold(element_text(element))

    def test(element: Any) -> bool:
        if _is_number(element):
            return number is not None and compare(element, "=", number)
        return fold(element_text(element)) == wanted

    return test


def _network(predicate: Network) -> _Test:
    wanted = fold(predicate.text)

    def test(element: Any) -> bool:
        if not isinstance(element, str):
            return False
        address = ip_hex(element)
        if address is not None and predicate.first <= address <= predicate.last:
            return True
        return fold(element) == wanted

    return test


def compare(left: float, operator: str, right: float) -> bool:
    """Two numbers: whole ones exactly, otherwise as 64-bit floats (as SQL does)."""
    if isinstance(left, float) or isinstance(right, float):
        left, right = float(left), float(right)
    return {"=": left == right, ">": left > right, ">=": left >= right, "<": left < right, "<=": left <= right}[operator]


def _range(predicate: Range) -> _Test:
    ends: list[tuple[str, Bound]] = []
    if predicate.low is not None:
        ends.append((">=" if predicate.low.inclusive else ">", predicate.low))
    if predicate.high is not None:
        ends.append(("<=" if predicate.high.inclusive else "<", predicate.high))
    return lambda element: all(_within(element, operator, bound) for operator, bound in ends)


def _within(element: Any, operator: str, bound: Bound) -> bool:
    if _is_number(element):
        return bound.kind == "number" and compare(element, operator, bound.number)
    text = element_text(element)
    if bound.kind == "number":
        return _PLAIN_NUMBER.fullmatch(text) is not None and compare(float(text), operator, bound.number)
    if bound.kind == "ip":
        address = ip_hex(text)
        return address is not None and _ordered(address, operator, bound.text)
    if bound.kind == "date":
        return _ordered(fold(text)[: len(bound.text)], operator, fold(bound.text))
    return _ordered(fold(text), operator, fold(bound.text))


def _ordered(left: str, operator: str, right: str) -> bool:
    return {">": left > right, ">=": left >= right, "<": left < right, "<=": left <= right}[operator]
