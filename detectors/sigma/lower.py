"""One-field subtrees → Python expressions over a value (``t`` lowered, ``v`` as it is, ``h`` numbers of the regexes found).

Only text from :func:`repr` of strings and integers goes into the source, so a rule cannot put code there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from detectors.sigma.ast import CONTAINS, EXACT, GLOB, PREFIX, And, Const, Exists, FieldRef, Match, Node, Not, Null, Regex, Text
from detectors.sigma.predicates import tester

Checker: TypeAlias = Callable[[str, str, list[int]], bool]


def compile_check(node: Node, regex_numbers: dict[tuple[str, str], int]) -> Checker:
    """A function of a present, non-empty value."""
    names: dict[str, Any] = {}
    source = f"lambda t, v, h: {_expression(node, regex_numbers, names)}"
    check: Checker = eval(source, {"__builtins__": {}}, names) if not names else _with_names(source, names)  # noqa: S307
    return check


def _with_names(source: str, names: dict[str, Any]) -> Checker:
    check: Checker = eval(source, {"__builtins__": {}, **names})  # noqa: S307 - built from repr() of strings only
    return check


def _expression(node: Node, numbers: dict[tuple[str, str], int], names: dict[str, Any]) -> str:
    if isinstance(node, Match):
        return _leaf(node, numbers, names)
    if isinstance(node, Const):
        return repr(node.value)
    if isinstance(node, Not):
        return f"(not {_expression(node.node, numbers, names)})"
    word = " and " if isinstance(node, And) else " or "
    return "(" + word.join(_expression(one, numbers, names) for one in node.nodes) + ")"


def _leaf(node: Match, numbers: dict[tuple[str, str], int], names: dict[str, Any]) -> str:
    predicate = node.predicate
    if isinstance(predicate, Null):
        return "False"
    if isinstance(predicate, Exists):
        return repr(predicate.wanted)
    if isinstance(predicate, Text) and predicate.kind != GLOB:
        value, text = ("v" if predicate.cased else "t"), repr(predicate.text)
        if predicate.kind == CONTAINS:
            return f"({text} in {value})"
        if predicate.kind == EXACT:
            return f"({value} == {text})"
        return f"{value}.{'startswith' if predicate.kind == PREFIX else 'endswith'}({text})"
    if isinstance(predicate, Regex):
        number = numbers.get((predicate.pattern, predicate.flags))
        if number is not None:
            return f"({number} in h)"
    if isinstance(predicate, FieldRef):
        raise AssertionError("a field reference is no one-field predicate")
    name = f"f{len(names)}"
    names[name] = tester(predicate)
    return f"{name}(v)"
