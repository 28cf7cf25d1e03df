"""A plan as data: what is built once for a class of events, and what the compile cache keeps of it.

Bit sets are bytes (least significant first), predicates are MessagePack that is decoded when a value first needs them.
"""

from __future__ import annotations

from typing import Any

import msgspec

from detectors.sigma.ast import Match, Node

VERSION = "2"  # part of the cache key: raise it when what is built from a tree changes

Bits = bytes
Ends = dict[str, list[tuple[int, dict[str, int]]]]
"""First (last) character → beginnings (ends) of each length → effect."""


def pack(bits: int) -> Bits:
    return bits.to_bytes((bits.bit_length() + 7) // 8, "little")


def unpack(bits: Bits) -> int:
    return int.from_bytes(bits, "little")


class EffectImage(msgspec.Struct, frozen=True, array_like=True):
    """What a finding means: bits that it sets, checks that it asks for, and the rows that either is about."""

    singles: Bits
    clauses: Bits
    rows: Bits
    checks: tuple[int, ...]


class CheckImage(msgspec.Struct, array_like=True):
    """A subtree to evaluate: its bits, its truth where nothing is found, and the number of its node."""

    singles: Bits
    clauses: Bits
    rows: Bits
    default: bool
    node: int


class TableImage(msgspec.Struct, array_like=True):
    """One field (see :mod:`table`).

    free         rows that say nothing about the field in their singles
    concerns     rows that ask about it at all
    clause_bits  clauses that it may fulfil
    base         entry of a present value in which nothing is found; ``missing``, ``empty``: of no value and of the empty text
    literals     texts to look for, ``literal_effects`` what each means
    empty_counts whether an empty element of a list can fulfil anything
    subtrees     (singles, clauses, node) of every subtree; ``always``: checks for every value
    """

    field: str
    free: Bits
    concerns: Bits
    clause_bits: Bits
    base: tuple[Bits, Bits]
    missing: tuple[Bits, Bits]
    empty: tuple[Bits, Bits]
    effects: list[EffectImage]
    literals: list[str]
    literal_effects: list[int]
    exact: dict[str, int]
    prefixes: Ends
    suffixes: Ends
    patterns: list[tuple[str, str]]
    regex_effects: dict[int, int]
    checks: list[CheckImage]
    always: list[int]
    empty_counts: bool
    subtrees: list[tuple[Bits, Bits, int]]
    nodes: list[msgspec.Raw]

    @property
    def cost(self) -> int:
        """Rough price of working out a value, in literals to look for."""
        return 50 + len(self.literals) + 10 * len(self.patterns) + 5 * len(self.always)


class PlanImage(msgspec.Struct, array_like=True):
    """Rows of a class's rules (see :mod:`rows`), those with most clauses first.

    row_rules  rule of each row
    widths     how many rows have more than 0, 1, 2 … clauses
    rest       (row, nodes) that are tested on the event once all clauses hold
    keywords   keyword predicates of the rules
    """

    row_rules: list[int]
    widths: list[int]
    rest: list[tuple[int, list[Node]]]
    keywords: list[Match]
    tables: list[TableImage]


class Stored(msgspec.Struct, array_like=True):
    """What the cache keeps of a class; no plan where no rule is about it."""

    plan: PlanImage | None


_decoder = msgspec.msgpack.Decoder(Stored)
_node_decoder: msgspec.msgpack.Decoder[Any] = msgspec.msgpack.Decoder(Node)


def encode_node(node: Node) -> msgspec.Raw:
    return msgspec.Raw(msgspec.msgpack.encode(node))


def decode_node(raw: msgspec.Raw) -> Node:
    node: Node = _node_decoder.decode(raw)
    return node


def encode(plan: PlanImage | None) -> bytes:
    return msgspec.msgpack.encode(Stored(plan))


def decode(blob: bytes) -> Stored | None:
    """None for a blob that is no plan."""
    try:
        return _decoder.decode(blob)
    except (msgspec.MsgspecError, ValueError):
        return None
