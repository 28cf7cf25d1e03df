"""Merkle trees over an append-only list, with SM3: RFC 9162 section 2.1 (RFC 6962 has the same shape), hash GB/T 32905-2016.

    leaf hash = SM3(0x00 || entry)        node hash = SM3(0x01 || left || right)        root of the empty list = SM3("")

The tree over n entries splits at the largest power of two below n. Its complete subtrees are named (level, place): node (k, i)
covers the leaves i * 2^k up to (i + 1) * 2^k - 1; once complete it never changes, so it can be stored when it comes into being.
Whoever stores them all proves in O(log n); who only appends needs the :class:`Frontier`.

Invariants: a root commits to every entry and to their order; an inclusion proof shows that an entry is in the tree of a root, a
consistency proof that an earlier tree is the beginning of a later one. Verifying needs no stored node.

    frontier = Frontier()
    for entry in entries:
        store(frontier.append(leaf_hash(entry)))
    path = inclusion_proof(2, frontier.size, lookup)
    assert verify_inclusion(leaf_hash(entries[2]), 2, frontier.size, path, frontier.root())
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from crypto.sm3 import sm3

HASH_SIZE = 32
EMPTY_ROOT = sm3(b"")

Lookup = Callable[[int, int], bytes]
"""``lookup(level, index)``: the hash of a complete subtree. May raise whatever its owner raises for one that is missing."""


class Node(NamedTuple):
    """A complete subtree that has come into being."""

    level: int
    place: int
    hash: bytes


def leaf_hash(entry: bytes) -> bytes:
    """The hash of a list entry (RFC 9162 2.1.1)."""
    return sm3(b"\x00" + entry)


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash over two subtrees (RFC 9162 2.1.1)."""
    return sm3(b"\x01" + left + right)


class Frontier:
    """The right edge of a tree: its ``size`` and the hashes of the largest complete subtrees (``peaks``), from left to right.

    All that appending needs; there is one peak for every bit set in ``size``. Raises ValueError where the two do not fit.
    """

    def __init__(self, size: int = 0, peaks: Sequence[bytes] = ()) -> None:
        if size < 0 or len(peaks) != size.bit_count() or any(len(peak) != HASH_SIZE for peak in peaks):
            raise ValueError(f"a tree of {size} leaves has {max(size, 0).bit_count()} peaks of {HASH_SIZE} bytes")
        self.size = size
        self.peaks = list(peaks)

    @classmethod
    def unpack(cls, size: int, packed: bytes) -> Frontier:
        """Inverse of :meth:`pack`."""
        return cls(size, [packed[start : start + HASH_SIZE] for start in range(0, len(packed), HASH_SIZE)])

    @classmethod
    def of(cls, size: int, lookup: Lookup) -> Frontier:
        """The frontier that the tree had when it had ``size`` leaves."""
        return cls(size, [lookup(level, index) for level, index in peak_places(size)])

    def pack(self) -> bytes:
        """The peaks one after the other."""
        return b"".join(self.peaks)

    def append(self, leaf: bytes) -> list[Node]:
        """Take in a leaf hash; returns the subtrees that are complete now, the leaf itself first."""
        index, level = self.size, 0
        made = [Node(0, index, leaf)]
        while index & 1:
            leaf = node_hash(self.peaks.pop(), leaf)
            index, level = index >> 1, level + 1
            made.append(Node(level, index, leaf))
        self.peaks.append(leaf)
        self.size += 1
        return made

    def root(self) -> bytes:
        """The root of the tree as it is."""
        if not self.peaks:
            return EMPTY_ROOT
        found = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            found = node_hash(peak, found)
        return found


def peak_places(size: int) -> list[tuple[int, int]]:
    """(level, index) of the largest complete subtrees of a tree with ``size`` leaves, from left to right."""
    return [(level, (size >> level) - 1) for level in range(size.bit_length() - 1, -1, -1) if size >> level & 1]


def tree_root(entries: Sequence[bytes]) -> bytes:
    """The root over whole entries held in memory."""
    frontier = Frontier()
    for entry in entries:
        frontier.append(leaf_hash(entry))
    return frontier.root()


def inclusion_proof(index: int, size: int, lookup: Lookup) -> list[bytes]:
    """PATH(index, D_size) of RFC 9162 2.1.3.1: that the leaf ``index`` (from 0) is in the tree of ``size`` leaves."""
    if not 0 <= index < size:
        raise ValueError(f"there is no leaf {index} in a tree of {size}")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_range_hash(middle, end, lookup))
            end = middle
        else:
            path.append(_range_hash(start, middle, lookup))
            start = middle
    return path[::-1]


def consistency_proof(first: int, second: int, lookup: Lookup) -> list[bytes]:
    """PROOF(first, D_second) of RFC 9162 2.1.4.1: that the tree of ``first`` leaves is the beginning of that of ``second``.

    Empty where the sizes are equal or ``first`` is 0 (anything continues the empty tree).
    """
    if not 0 <= first <= second:
        raise ValueError(f"a tree of {first} leaves is no beginning of one of {second}")
    if first in (0, second):
        return []
    path: list[bytes] = []
    start, end, whole = 0, second, True
    while first != end:
        middle = start + _split(end - start)
        if first <= middle:
            path.append(_range_hash(middle, end, lookup))
            end = middle
        else:
            path.append(_range_hash(start, middle, lookup))
            start, whole = middle, False
    if not whole:
        path.append(_range_hash(start, end, lookup))
    return path[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """True where ``path`` leads from the leaf hash to ``root`` (RFC 9162 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last, found = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node_hash(sibling, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        place, last = place >> 1, last >> 1
    return last == 0 and found == root


def verify_consistency(first: int, second: int, first_root: bytes, second_root: bytes, path: Sequence[bytes]) -> bool:
    """True where ``path`` shows that the tree of ``first_root`` is the beginning of that of ``second_root`` (RFC 9162 2.1.4.2)."""
    if not 0 <= first <= second:
        return False
    if first == second:
        return not path and first_root == second_root
    if first == 0:
        return not path and first_root == EMPTY_ROOT
    steps = list(path) if first & (first - 1) else [first_root, *path]
    if not steps:
        return False
    place, last = first - 1, second - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, step)
        place, last = place >> 1, last >> 1
    return last == 0 and old == first_root and new == second_root


def _split(size: int) -> int:
    """The largest power of two smaller than ``size`` (which is at least 2)."""
    return 1 << ((size - 1).bit_length() - 1)


def _range_hash(start: int, end: int, lookup: Lookup) -> bytes:
    """The hash over the leaves ``start`` … ``end - 1``, a subtree of the recursive split (so ``start`` is aligned to it)."""
    size = end - start
    pieces = [lookup(level, (start >> level) + index) for level, index in peak_places(size)]
    return Frontier(size, pieces).root()
