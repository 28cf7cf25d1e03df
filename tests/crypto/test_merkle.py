"""The Merkle tree against the recursive definitions of RFC 9162 written down once more, naively, with hashlib."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto import merkle as module
from crypto.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    peak_places,
    tree_root,
    verify_consistency,
    verify_inclusion,
)

# The eight entries of the reference trees that Certificate Transparency logs publish test results for, and the roots with SHA-256.
REFERENCE = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
PUBLISHED_SHA256 = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def naive(entries: list[bytes]) -> bytes:
    """MTH of RFC 9162 2.1.1, word for word."""
    if not entries:
        return hashlib.new("sm3").digest()
    if len(entries) == 1:
        return hashlib.new("sm3", b"\x00" + entries[0]).digest()
    k = largest_power_below(len(entries))
    return hashlib.new("sm3", b"\x01" + naive(entries[:k]) + naive(entries[k:])).digest()


def naive_path(m: int, entries: list[bytes]) -> list[bytes]:
    """PATH of RFC 9162 2.1.3.1."""
    if len(entries) == 1:
        return []
    k = largest_power_below(len(entries))
    if m < k:
        return [*naive_path(m, entries[:k]), naive(entries[k:])]
    return [*naive_path(m - k, entries[k:]), naive(entries[:k])]


def naive_proof(m: int, entries: list[bytes], whole: bool = True) -> list[bytes]:
    """SUBPROOF of RFC 9162 2.1.4.1; PROOF is the one with ``whole``."""
    if m == len(entries):
        return [] if whole else [naive(entries)]
    k = largest_power_below(len(entries))
    if m <= k:
        return [*naive_proof(m, entries[:k], whole), naive(entries[k:])]
    return [*naive_proof(m - k, entries[k:], False), naive(entries[:k])]


def largest_power_below(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


class Stored:
    """All nodes, as a database would keep them."""

    def __init__(self, entries: list[bytes]) -> None:
        self.frontier = Frontier()
        self.nodes: dict[tuple[int, int], bytes] = {}
        for entry in entries:
            for node in self.frontier.append(leaf_hash(entry)):
                assert (node.level, node.place) not in self.nodes
                self.nodes[node.level, node.place] = node.hash

    def __call__(self, level: int, index: int) -> bytes:
        return self.nodes[level, index]


ENTRIES = [f"entry {number}".encode() for number in range(70)]


@pytest.mark.parametrize("size", range(len(REFERENCE) + 1))
def test_roots_of_the_reference_entries(size: int) -> None:
    assert tree_root(REFERENCE[:size]) == naive(REFERENCE[:size])


@pytest.mark.parametrize("size", range(len(REFERENCE) + 1))
def test_with_sha256_the_published_roots_come_out(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the hash is exchanged: the shape of the tree is the one that others publish."""
    monkeypatch.setattr(module, "sm3", lambda data: hashlib.sha256(data).digest())
    assert tree_root(REFERENCE[:size]).hex() == (PUBLISHED_SHA256[size] if size else EMPTY_ROOT.hex())


def test_the_shape_of_seven_leaves_is_the_one_drawn_in_the_standard() -> None:
    """RFC 9162 2.1.5: hash = (((a,b),(c,d)) = k, ((e,f),j)); its proofs are listed there by letter."""
    d = [bytes([number]) for number in range(7)]
    a, b, c, dd, e, f, j = (leaf_hash(entry) for entry in d)
    g, h, i = node_hash(a, b), node_hash(c, dd), node_hash(e, f)
    k, ll = node_hash(g, h), node_hash(i, j)
    stored = Stored(d)
    assert stored.frontier.root() == node_hash(k, ll)
    assert inclusion_proof(0, 7, stored) == [b, h, ll]
    assert inclusion_proof(3, 7, stored) == [c, g, ll]
    assert inclusion_proof(4, 7, stored) == [f, j, k]
    assert inclusion_proof(6, 7, stored) == [i, k]
    assert consistency_proof(3, 7, stored) == [c, dd, g, ll]
    assert consistency_proof(4, 7, stored) == [ll]
    assert consistency_proof(6, 7, stored) == [i, j, k]


def test_every_proof_of_every_tree_up_to_seventy_leaves() -> None:
    stored = Stored(ENTRIES)
    roots = [naive(ENTRIES[:size]) for size in range(len(ENTRIES) + 1)]
    for size in range(1, len(ENTRIES) + 1):
        assert Frontier.of(size, stored).root() == roots[size]
        for index in range(size):
            path = inclusion_proof(index, size, stored)
            assert verify_inclusion(leaf_hash(ENTRIES[index]), index, size, path, roots[size])
            assert len(path) <= (size - 1).bit_length()
        for first in range(size + 1):
            path = consistency_proof(first, size, stored)
            assert verify_consistency(first, size, roots[first], roots[size], path)


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=140), st.data())
@settings(deadline=None)
def test_roots_and_proofs_equal_the_recursive_reference(entries: list[bytes], data: st.DataObject) -> None:
    stored, size = Stored(entries), len(entries)
    root = naive(entries)
    assert stored.frontier.root() == root
    index, first = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    path = inclusion_proof(index, size, stored)
    assert path == naive_path(index, entries)
    assert verify_inclusion(leaf_hash(entries[index]), index, size, path, root)
    proof = consistency_proof(first, size, stored)
    assert proof == naive_proof(first, entries)
    assert verify_consistency(first, size, naive(entries[:first]), root, proof)


@given(st.integers(2, 90), st.data())
@settings(deadline=None)
def test_a_changed_proof_is_refused(size: int, data: st.DataObject) -> None:
    entries = [bytes([number]) for number in range(size)]
    stored, root = Stored(entries), naive(entries)
    index, first = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size - 1))
    path, proof, leaf = inclusion_proof(index, size, stored), consistency_proof(first, size, stored), leaf_hash(entries[index])
    flip = data.draw(st.integers(0, 255))
    other = [*path]
    position = data.draw(st.integers(0, len(path) - 1))
    other[position] = _flipped(other[position], flip)
    assert not verify_inclusion(leaf, index, size, other, root)
    assert not verify_inclusion(leaf, index, size, path[:-1], root)
    assert not verify_inclusion(leaf, index, size, [*path, path[-1]], root)
    assert not verify_inclusion(_flipped(leaf, flip), index, size, path, root)
    assert not verify_inclusion(leaf, index, size, path, _flipped(root, flip))
    assert not verify_inclusion(leaf, index ^ 1, size, path, root)
    old = naive(entries[:first])
    assert not verify_consistency(first, size, _flipped(old, flip), root, proof)
    assert not verify_consistency(first, size, old, _flipped(root, flip), proof)
    assert not verify_consistency(first, size, old, root, [*proof, root])
    if proof:
        changed = [*proof]
        position = data.draw(st.integers(0, len(proof) - 1))
        changed[position] = _flipped(changed[position], flip)
        assert not verify_consistency(first, size, old, root, changed)
        assert not verify_consistency(first, size, old, root, proof[:-1])


def _flipped(digest: bytes, bit: int) -> bytes:
    changed = bytearray(digest)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@given(st.integers(0, 200), st.integers(0, 60))
@settings(deadline=None)
def test_a_frontier_goes_on_where_it_was_packed(size: int, more: int) -> None:
    entries = [number.to_bytes(2) for number in range(size + more)]
    frontier = Frontier()
    for entry in entries[:size]:
        frontier.append(leaf_hash(entry))
    resumed = Frontier.unpack(frontier.size, frontier.pack())
    for entry in entries[size:]:
        resumed.append(leaf_hash(entry))
    assert resumed.root() == naive(entries)


def test_limits() -> None:
    assert EMPTY_ROOT == Frontier().root() == naive([])
    stored = Stored(ENTRIES[:5])
    for wrong in (
        lambda: inclusion_proof(5, 5, stored),
        lambda: inclusion_proof(-1, 5, stored),
        lambda: consistency_proof(6, 5, stored),
    ):
        with pytest.raises(ValueError, match=r"there is no leaf|is no beginning"):
            wrong()
    with pytest.raises(ValueError, match="2 peaks"):
        Frontier(5, [EMPTY_ROOT])
    with pytest.raises(ValueError, match="peaks"):
        Frontier.unpack(1, b"too short")
    assert peak_places(0) == []
    assert peak_places(13) == [(3, 0), (2, 2), (0, 12)]
    root = stored.frontier.root()
    assert not verify_inclusion(root, 5, 5, [], root)
    assert not verify_consistency(6, 5, root, root, [])
    assert not verify_consistency(3, 5, root, root, [])
    assert not verify_consistency(0, 5, root, root, [])
    assert verify_consistency(0, 5, EMPTY_ROOT, root, [])
    assert not verify_consistency(5, 5, root, root, [root])
