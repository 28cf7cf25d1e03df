"""The word index of a run of row groups: for each word that is neither rare nor everywhere, the rows that have it.

It stands behind the filters of the skip index (:mod:`.skipindex`), for as many rows as compaction puts in order together. Of free
text (kernel.query.tree.FREE_TEXT_FIELDS) it knows, for a piece of a word, every row in which it occurs, but for

* words that occur fewer than ``RARE`` times in the run: a filter for each row group says whether such a word may have the piece,
* words that are ``EVERYWHERE``: they are listed without rows.

Layout of a run, little-endian::

    u32 groups  u32 octets of the words  u32 of them as stored  u32 octets of the file
    {u32 rows, u32 bits} * groups  filters, whole bytes  words  file

The words stand in ascending order, each with a line feed before and behind it, as zstd stores them. The file is an Arrow IPC file
with batches of ``BATCH`` words' ``rows`` (list<u16>): one word after the other, differences modulo 2^16 from the row before.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from itertools import accumulate, groupby
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from kernel.query.tree import FREE_TEXT_FIELDS
from kernel.store.lake import grams
from kernel.store.lake.skipindex import Filter, pack_filters, unpack_filters
from kernel.store.lake.words import runs_without_digits, say_something, words_of

RARE = 3
"""A word that occurs less often in a run has no rows of its own there."""
EVERYWHERE = 4
"""Nor has one that occurs more often than once in so many rows."""
LONGEST = 256
"""Bytes of a listed word; longer ones count as rare."""
MOST_WORDS = 1_000
"""A piece that more words have is not looked up: it says little."""
FULLEST = 0.1
MOST_ROWS = 1 << 16
MOST_OCTETS = 96 << 20
"""Of texts in a run that gets an index: making it takes several times as much memory."""

BATCH = 256

_HEAD = struct.Struct("<IIII")
_MADE_OF = ",".join(FREE_TEXT_FIELDS).encode()
_SCHEMA = pa.schema([("rows", pa.list_(pa.uint16()))], metadata={"fields": _MADE_OF})
_COMPRESSED = pa.ipc.IpcWriteOptions(compression="zstd")
_U16, _NO_PLACE = pa.uint16(), pa.scalar(None, pa.int32())
_SIXTEEN, _LOW = pa.scalar(16, pa.uint32()), pa.scalar(0xFFFF, pa.uint32())


class Found(msgspec.Struct, frozen=True):
    """Where a piece is: ``rows`` (u16, ascending, each once; None: anywhere), and in which row groups it may be elsewhere, too."""

    rows: Any
    open_groups: tuple[int, ...]


class Run(msgspec.Struct, frozen=True):
    """The word index of one run. ``groups``: which digitless pieces the rare words of a row group have."""

    groups: list[Filter]
    words: bytes
    listed: memoryview

    def find(self, piece: bytes) -> Found:
        """Look up a piece of a literal (:func:`kernel.store.lake.words.literal_of`)."""
        keys = [key for run in runs_without_digits(piece) for key in grams.content_keys(run)]
        opened = tuple(
            number for number, group in enumerate(self.groups) if all(grams.has(group.bits, group.size, key) for key in keys)
        )
        return Found(self._rows(piece), opened)

    def _rows(self, piece: bytes) -> Any:
        places = self._places(piece)
        if places is None:
            return None
        found: list[Any] = []
        if places:
            file = pa.ipc.open_file(self.listed)
            if file.schema.metadata[b"fields"] != _MADE_OF:
                return None  # a program that looks at other fields wrote it
            for batch, of_batch in groupby(places, lambda place: place // BATCH):
                rows = file.get_batch(batch).column(0)
                told = pa.ListArray.from_arrays(rows.offsets, pc.cumulative_sum(rows.values), mask=rows.is_null())
                chosen = told.take(pa.array([place % BATCH for place in of_batch], pa.int32()))
                if chosen.null_count:
                    return None
                found.append(chosen.flatten())
        whole = pc.unique(pa.chunked_array(found, _U16))
        return whole.take(pc.sort_indices(whole))

    def _places(self, piece: bytes) -> list[int] | None:
        """Which words have it, or None where too many do."""
        places: list[int] = []
        start, before = 0, 0
        while (at := self.words.find(piece, start)) >= 0:
            before += self.words.count(b"\n", start, at)
            places.append(before - 1)
            if len(places) > MOST_WORDS:
                return None
            start = self.words.find(b"\n", at)
        return places


def run_bytes(table: Any, groups: Sequence[int]) -> bytes:
    """The word index of a table, which is row groups of so many rows; empty where it would be too large."""
    if not 0 < len(table) <= MOST_ROWS or sum(table.column(field).nbytes for field in FREE_TEXT_FIELDS) > MOST_OCTETS:
        return b""
    columns = [words_of(table.column(field)) for field in FREE_TEXT_FIELDS if table.column(field).null_count < len(table)]
    words = pa.chunked_array([words for words, _ in columns], pa.binary()).dictionary_encode()
    rows = pa.chunked_array([rows for _, rows in columns], _U16).combine_chunks()
    words = words.unify_dictionaries().combine_chunks() if words.num_chunks else pa.array([], pa.binary()).dictionary_encode()
    content, codes = words.dictionary, words.indices
    counted = codes.value_counts()  # a code counts from the first word on, so the counts are in its order
    counts = counted.field("counts").take(pc.sort_indices(counted.field("values")))
    saying = say_something(content)
    usual = pc.and_(pc.greater_equal(counts, RARE), pc.less_equal(pc.binary_length(content), LONGEST))
    everywhere = pc.greater(counts, len(table) // EVERYWHERE)
    rare = pc.and_(saying, pc.invert(usual))
    filters = list(_filters(content, codes, rows, rare, groups))
    chosen = pc.indices_nonzero(pc.and_(saying, usual))
    chosen = chosen.take(pc.sort_indices(content.take(chosen)))
    listed = _listed(chosen, codes, rows, everywhere)
    names = b"\n".join([b"", *content.take(chosen).to_pylist(), b""])
    stored = pa.compress(names, "zstd", asbytes=True)
    return b"".join(
        [
            _HEAD.pack(len(filters), len(names), len(stored), len(listed)),
            pack_filters(filters),
            stored,
            listed,
        ]
    )


def read_run(content: memoryview) -> Run:
    """What :func:`run_bytes` gave."""
    number, length, stored, listed = _HEAD.unpack_from(content)
    groups, rest = unpack_filters(content[_HEAD.size :], number)
    words = pa.decompress(rest[:stored], length, "zstd", asbytes=True)
    return Run(groups, words, rest[stored : stored + listed])


def _filters(content: Any, codes: Any, rows: Any, rare: Any, groups: Sequence[int]) -> Iterator[Filter]:
    is_rare = rare.take(codes)
    codes, rows = codes.filter(is_rare), rows.filter(is_rare)
    first = 0
    for number in groups:
        inside = pc.and_(pc.greater_equal(rows, pa.scalar(first, _U16)), pc.less_equal(rows, pa.scalar(first + number - 1, _U16)))
        words = b" ".join(content.take(pc.unique(codes.filter(inside))).to_pylist())
        yield Filter(number, *grams.filter_bits(grams.mark(runs_without_digits(words), []), FULLEST))
        first += number


def _listed(chosen: Any, codes: Any, rows: Any, everywhere: Any) -> bytes:
    """The IPC file of the chosen words; those that are everywhere have null."""
    place_of = pc.inverse_permutation(chosen.cast(pa.int32()), max_index=max(0, len(everywhere) - 1), output_type=pa.int32())
    places = pc.if_else(everywhere.take(codes), _NO_PLACE, place_of.take(codes))
    having = places.is_valid()
    high, low = (part.filter(having).cast(pa.uint32()) for part in (places, rows))
    pairs = pc.unique(pc.bit_wise_or(pc.shift_left(high, _SIXTEEN), low))  # a word may occur in a row more than once
    pairs = pairs.take(pc.sort_indices(pairs))
    ends = [0] * (len(chosen) + 1)
    for counted in pc.shift_right(pairs, _SIXTEEN).value_counts().to_pylist():
        ends[counted["values"] + 1] = counted["counts"]
    ends = list(accumulate(ends))
    told, missing = pc.bit_wise_and(pairs, _LOW).cast(_U16), everywhere.take(chosen)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, _SCHEMA, options=_COMPRESSED) as file:
        for first in range(0, len(chosen), BATCH):
            last = min(first + BATCH, len(chosen))
            offsets = pa.array([end - ends[first] for end in ends[first : last + 1]], pa.int32())
            values = _differences(told.slice(ends[first], ends[last] - ends[first]))
            rows_of = pa.ListArray.from_arrays(offsets, values, mask=missing.slice(first, last - first))
            file.write_batch(pa.record_batch([rows_of], schema=_SCHEMA))
    return bytes(sink.getvalue())


def _differences(values: Any) -> Any:
    before = pa.chunked_array([pa.array([0], _U16), values.slice(0, max(0, len(values) - 1))]).combine_chunks()
    return pc.subtract(values, before.slice(0, len(values)))
