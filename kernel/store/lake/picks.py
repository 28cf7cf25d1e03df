"""The rows of a segment that its word index (:mod:`.wordindex`) says may be hits.

Sets of rows are whole numbers here, a bit for each row of a run: Python combines those in no time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from operator import and_, or_

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from kernel.query.tree import And, Node
from kernel.store.lake.leads import Lead, lead_of, parts_of
from kernel.store.lake.wordindex import Run, read_run

MOST_LEADS = 6
"""Each costs a look into every run; those with the longest words are followed."""
MOST = 4_096
"""Rows of a segment that are named one by one; of more, all row groups are read that may have a hit."""
MOST_UNSURE = 1_024
"""The same of those that are not sure; of more, their row groups are read."""


class Picks(msgspec.Struct, frozen=True):
    """``sure``: for these rows only ``left`` of the condition has to be asked.

    unsure, ranges  for these rows, or ranges (first, last) of rows, all of it has to be
    """

    sure: tuple[int, ...]
    unsure: tuple[int, ...]
    ranges: tuple[tuple[int, int], ...]
    left: Node


class Plan:
    """What of a condition words can say; worked out once for a query."""

    def __init__(self, root: Node) -> None:
        parts = [(part, lead_of(part)) for part in parts_of(root)]
        self.leads = sorted((lead for _, lead in parts if lead is not None), key=_length, reverse=True)[:MOST_LEADS]
        left = tuple(part for part, lead in parts if lead not in self.leads or not lead.sure)
        self.left: Node = left[0] if len(left) == 1 else And(left)

    def picks(self, runs: Sequence[tuple[int, memoryview]], ranges: Sequence[tuple[int, int]]) -> Picks | None:
        """The rows within ``ranges`` (first, last) of a segment with such runs; None: too many, or a run without an index."""
        sure: list[int] = []
        unsure: list[int] = []
        opened: list[tuple[int, int]] = []
        first = 0
        for rows, content in runs:
            within = _within(ranges, first, rows)
            if within:
                if not content:
                    return None
                run = read_run(content)
                settled, doubtful = self._in_run(run, within)
                sure += (first + row for row in _rows(settled))
                if len(sure) > MOST:
                    return None
                unsure += (first + row for row in _rows(doubtful))
                opened += ((first + begin, first + end) for begin, end in _stretches(run) if doubtful & _stretch(begin, end))
            first += rows
        if len(unsure) > MOST_UNSURE:
            return Picks(tuple(sure), (), tuple(opened), self.left)
        return Picks(tuple(sure), tuple(unsure), (), self.left)

    def _in_run(self, run: Run, within: int) -> tuple[int, int]:
        settled = within
        for lead in self.leads:
            may, exact = _follow(lead, run, within)
            within &= may
            settled &= exact if lead.sure else within
            if not within:
                break
        return within & settled, within & ~settled


def _follow(lead: Lead, run: Run, within: int) -> tuple[int, int]:
    """The rows that may be hits, and those of which that is certain, this or that way."""
    found = {piece: _looked_up(run, piece, within) for choice in lead.choices for piece in choice}
    may = reduce(or_, (reduce(and_, (found[piece][0] for piece in choice)) for choice in lead.choices))
    return may, reduce(and_, (exact for _, exact in found.values()))


def _looked_up(run: Run, piece: bytes, within: int) -> tuple[int, int]:
    found = run.find(piece)
    if found.rows is None:
        return within, 0
    stretches = list(_stretches(run))
    opened = reduce(or_, (_stretch(*stretches[number]) for number in found.open_groups), 0)
    rows = _bits(found.rows, stretches[-1][1] + 1)
    return rows | opened, within & ~opened


def _length(lead: Lead) -> int:
    """Long words are rare ones, mostly: when no row is left, the others need not be looked up."""
    return min(max(map(len, choice)) for choice in lead.choices)


def _within(ranges: Sequence[tuple[int, int]], first: int, rows: int) -> int:
    """The ranges as far as they lie in a run."""
    found = 0
    for begin, end in ranges:
        begin, end = max(begin - first, 0), min(end - first, rows - 1)
        if begin <= end:
            found |= _stretch(begin, end)
    return found


def _stretches(run: Run) -> Iterator[tuple[int, int]]:
    """First and last row of its row groups, all of which are either sure or not."""
    first = 0
    for group in run.groups:
        yield first, first + group.rows - 1
        first += group.rows


def _stretch(begin: int, end: int) -> int:
    return ((1 << (end - begin + 1)) - 1) << begin


def _bits(rows: pa.Array, number: int) -> int:
    if len(rows) == 0:
        return 0
    places = pc.inverse_permutation(rows.cast(pa.int32()), max_index=number - 1, output_type=pa.int32())
    there = pc.is_valid(places)
    return int.from_bytes(there.buffers()[1][: (number + 7) // 8], "little") & ((1 << number) - 1)


def _rows(bits: int) -> Iterator[int]:
    if not bits:
        return iter(())
    length = bits.bit_length()
    there = pa.Array.from_buffers(pa.bool_(), length, [None, pa.py_buffer(bits.to_bytes((length + 7) // 8, "little"))])
    rows: list[int] = pc.indices_nonzero(there).to_pylist()
    return iter(rows)
