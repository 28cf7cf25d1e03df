"""A Sigma detection as data: predicates on one field, joined by and/or/not.

The tree is what stays of a rule after parsing; it can be written to the compile cache as it is (msgspec, no code in it).
Meaning of each predicate: Sigma specification 2.0, "Sigma rules specification" and its modifiers appendix
(https://github.com/SigmaHQ/sigma-specification). Text is compared without case unless ``cased``; case is removed by ``str.lower``.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

EXACT, PREFIX, SUFFIX, CONTAINS, GLOB = "exact", "prefix", "suffix", "contains", "glob"


class Text(msgspec.Struct, frozen=True, tag="t", array_like=True):
    """Compare with a text. ``parts`` only for GLOB: ``=abc`` a literal, ``*`` any run, ``?`` one character."""

    kind: str
    text: str
    cased: bool = False
    parts: tuple[str, ...] = ()


class Regex(msgspec.Struct, frozen=True, tag="r", array_like=True):
    """Search a regular expression; ``flags`` of i, m, s."""

    pattern: str
    flags: str = ""


class Cidr(msgspec.Struct, frozen=True, tag="c", array_like=True):
    """The value is an address within a network (IPv4 or IPv6; an IPv4-mapped IPv6 address counts as IPv4)."""

    network: str


class Compare(msgspec.Struct, frozen=True, tag="n", array_like=True):
    """The value is a number and ``op`` (lt, lte, gt, gte) holds."""

    op: str
    number: float


class TimePart(msgspec.Struct, frozen=True, tag="d", array_like=True):
    """A part (minute, hour, day, week, month, year; UTC, ISO week) of the time in the field equals ``number``."""

    unit: str
    number: int


class Null(msgspec.Struct, frozen=True, tag="0", array_like=True):
    """The field is missing or empty (the Windows event format cannot tell an empty element from an absent value)."""


class Exists(msgspec.Struct, frozen=True, tag="e", array_like=True):
    """The field is present (``wanted``) or absent."""

    wanted: bool


class FieldRef(msgspec.Struct, frozen=True, tag="f", array_like=True):
    """The value equals (or ``start``: starts with, ``end``: ends with, both: contains) the value of ``other``."""

    other: str
    start: bool = False
    end: bool = False


Predicate: TypeAlias = Text | Regex | Cidr | Compare | TimePart | Null | Exists | FieldRef


class Match(msgspec.Struct, frozen=True, tag="M", array_like=True):
    """``predicate`` holds for some value of ``field``; the empty field name stands for every value of the event (keywords)."""

    field: str
    predicate: Predicate
    selection: str = ""
    pattern: str = ""


class Const(msgspec.Struct, frozen=True, tag="K", array_like=True):
    value: bool


class And(msgspec.Struct, frozen=True, tag="A", array_like=True):
    nodes: tuple[Node, ...]


class Or(msgspec.Struct, frozen=True, tag="O", array_like=True):
    nodes: tuple[Node, ...]


class Not(msgspec.Struct, frozen=True, tag="N", array_like=True):
    node: Node


Node: TypeAlias = Match | Const | And | Or | Not

KEYWORDS = ""
"""Field name of keyword predicates."""

TRUE, FALSE = Const(True), Const(False)


def both(nodes: list[Node]) -> Node:
    """Conjunction, simplified (no nodes: true)."""
    flat: list[Node] = []
    for node in nodes:
        if isinstance(node, Const):
            if not node.value:
                return FALSE
        elif isinstance(node, And):
            flat.extend(node.nodes)
        else:
            flat.append(node)
    return flat[0] if len(flat) == 1 else And(tuple(flat)) if flat else TRUE


def either(nodes: list[Node]) -> Node:
    """Disjunction, simplified (no nodes: false)."""
    flat: list[Node] = []
    for node in nodes:
        if isinstance(node, Const):
            if node.value:
                return TRUE
        elif isinstance(node, Or):
            flat.extend(node.nodes)
        else:
            flat.append(node)
    return flat[0] if len(flat) == 1 else Or(tuple(flat)) if flat else FALSE


def negate(node: Node) -> Node:
    """Negation, simplified."""
    if isinstance(node, Const):
        return FALSE if node.value else TRUE
    return node.node if isinstance(node, Not) else Not(node)


def fields_of(node: Node) -> set[str]:
    """Names of all fields that the node looks at."""
    if isinstance(node, Match):
        if isinstance(node.predicate, FieldRef):
            return {node.field, node.predicate.other}
        return {node.field}
    if isinstance(node, Const):
        return set()
    if isinstance(node, Not):
        return fields_of(node.node)
    return set().union(*(fields_of(one) for one in node.nodes))
