"""The skip index's keys: four bytes of folded text each, and for long literals some eight-byte ones.

Three bytes would be smaller, but on real records they say nothing: one base64 or hex field per event and nearly every triple of
letters occurs in every row group (measured, docs/search-at-size.md). Four bytes hold up. Hex digits alone fill even those
(16⁴ = 65,536), so that a hash would be "everywhere": every sixteenth place, chosen by its content, also gives the eight bytes that
begin there, and a literal chooses the same places as the text it stands in.

A key is 32 bits; its upper ``LARGEST`` bits, scaled to the size of a filter, are its bit there. All arithmetic is modulo 2³² and
runs inside Arrow: a million places take about eight milliseconds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from kernel.query.text import fold

SHORT = 4
LONG = 8
LARGEST = 19
"""log2 of the bits of the largest filter (64 KiB)."""

_SPREAD = 0x9E3779B1  # 2^32 / golden ratio: neighbours land far apart
_SPREAD_LONG = 0x85EBCA6B
_SPREAD_ADDRESS = (0xC2B2AE35, 0x27D4EB2F, 0x165667B1)
_SAMPLED = 1 << 28  # one key in sixteen begins a long one
_MODULUS = 1 << 32
_BLOCK = 1 << 18  # bytes at a time: what fits the processor's cache needs no new memory pages
_GATHERED = 8 << 20  # bytes of text whose places are kept before their bits are set: they take ten times as much
_SPREAD_SCALAR, _SPREAD_LONG_SCALAR, _SAMPLED_SCALAR = (pa.scalar(n, pa.uint32()) for n in (_SPREAD, _SPREAD_LONG, _SAMPLED))
_ONE = pa.scalar(1, pa.uint64())
_DROPPED = pa.scalar(32 - LARGEST, pa.uint32())


def text_keys(text: str) -> frozenset[int]:
    """Keys that are in the filter of every row group in which some value contains ``text`` (compared folded)."""
    return content_keys(fold(text).encode("utf-8", "surrogatepass"))


def content_keys(content: bytes) -> frozenset[int]:
    """The keys of folded text."""
    keys = set()
    words = [int.from_bytes(content[i : i + SHORT], "little") for i in range(len(content) - SHORT + 1)]
    for place, word in enumerate(words):
        key = word * _SPREAD % _MODULUS
        keys.add(key)
        if key < _SAMPLED and place + SHORT < len(words):
            keys.add((key + words[place + SHORT]) * _SPREAD_LONG % _MODULUS)
    return frozenset(keys)


def address_keys(address: int) -> frozenset[int]:
    """Keys of an IPv4 address (as u32) in an address column."""
    return frozenset(((address ^ spread) * spread) % _MODULUS for spread in _SPREAD_ADDRESS)


def mark(texts: Iterable[bytes], addresses: Iterable[Any]) -> Any:
    """The keys of folded texts and of u32 arrays of addresses, as ``2^LARGEST`` Arrow booleans.

    Texts may follow one another without a gap: what the seams add is only noise.
    """
    places: list[Any] = []
    for numbers in addresses:
        for spread in _SPREAD_ADDRESS:
            factor = pa.scalar(spread, pa.uint32())
            places.append(_places(pc.multiply(pc.bit_wise_xor(numbers, factor), factor)))
    marks = None
    for content in _joined(texts):
        for start in range(0, len(content), _BLOCK):
            for phase in range(start, start + SHORT):
                window = content[phase : phase + _BLOCK + SHORT]  # one word more than its own, to look at the word that follows
                words = pa.Array.from_buffers(pa.uint32(), len(window) // SHORT, [None, pa.py_buffer(window)])
                places += _text_places(words, min(len(words), _BLOCK // SHORT))
        found = _booleans(places, 1 << LARGEST)
        marks, places = found if marks is None else pc.or_(marks, found), []
    return _booleans(places, 1 << LARGEST) if marks is None else marks


def _joined(texts: Iterable[bytes]) -> Iterator[bytes]:
    """The texts in pieces of ``_GATHERED`` bytes. A key lies within one piece: the next begins a little before the end of it."""
    waiting: list[bytes] = []
    gathered = 0
    for text in texts:
        waiting.append(text)
        gathered += len(text)
        if gathered > _GATHERED:
            content = b"".join(waiting)
            yield from (content[start : start + _GATHERED + 2 * LONG] for start in range(0, gathered, _GATHERED))
            waiting, gathered = [], 0
    if waiting:
        yield b"".join(waiting)


def filter_bits(marks: Any, fullest: float) -> tuple[int, bytes]:
    """The smallest filter in which no larger share of the bits is set, unless it is the largest: (its bits, as bytes)."""
    most = 1 << LARGEST
    keys = -math.log(1 - min(marks.true_count, most - 1) / most) * most  # several share a bit
    size = min(most, max(64, math.ceil(keys / -math.log(1 - fullest))))
    if size < most:
        places = pc.multiply(pc.indices_nonzero(marks), pa.scalar(size, pa.uint64()))
        marks = _booleans([pc.shift_right(places, pa.scalar(LARGEST, pa.uint64())).cast(pa.int32())], size)
    return size, _packed(marks, size)


def has(filter_: bytes | memoryview, size: int, key: int) -> bool:
    """Whether a filter of ``size`` bits has a key."""
    place = ((key >> (32 - LARGEST)) * size) >> LARGEST
    return bool(filter_[place >> 3] >> (place & 7) & 1)


def _text_places(words: Any, own: int) -> list[Any]:
    """Places of the keys that begin at the first ``own`` words."""
    keys = pc.multiply(words, _SPREAD_SCALAR)
    chosen = pc.indices_nonzero(pc.less(keys.slice(0, min(own, len(words) - 1)), _SAMPLED_SCALAR)) if len(words) > 1 else []
    short = _places(keys.slice(0, own))
    if len(chosen) == 0:
        return [short]
    following = words.take(pc.add(chosen, _ONE))
    return [short, _places(pc.multiply(pc.add(keys.take(chosen), following), _SPREAD_LONG_SCALAR))]


def _places(keys: Any) -> Any:
    return pc.shift_right(keys, _DROPPED).view(pa.int32())


def _booleans(places: list[Any], size: int) -> Any:
    """Arrow cannot set bits, but the places where an inverse permutation is not null are set bits."""
    inverse = pc.inverse_permutation(pa.chunked_array(places, pa.int32()), max_index=size - 1, output_type=pa.int32())
    return pc.is_valid(inverse.combine_chunks() if isinstance(inverse, pa.ChunkedArray) else inverse)


def _packed(marks: Any, size: int) -> bytes:
    """The booleans as bytes, lowest bit first."""
    bits = marks.buffers()[1]
    if marks.offset or bits.size < (size + 7) // 8:
        raise ValueError("Arrow gave a boolean array in an unexpected form")
    return bytes(bits.slice(0, (size + 7) // 8))
