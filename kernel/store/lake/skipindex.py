"""The skip index of a segment: for each row group a filter that says which texts cannot be in it.

It stands inside the segment's own file, between the last row group and the Parquet footer, where no Parquet reader looks. So it
is written, synced, renamed, hashed (SM3 in the chain), replaced and dropped with its segment and never apart from it. The
manifest says where it begins and how long it is; a segment without one is simply read.

Layout, little-endian::

    "LDNSKIP1"  u32 groups  u32 CRC-32 of all that follows  {u32 rows, u32 bits} * groups  filters, whole bytes
    u32 runs  {u32 rows, u32 octets} * runs  word indexes of the runs (:mod:`.wordindex`)

Rows of the groups in order are the rows of the file in order, and so are those of the runs; the second line is missing where no run
has an index of its words. Which bit of a filter is a key's: :mod:`.grams`.
"""

from __future__ import annotations

import mmap
import struct
import zlib
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pyarrow.compute as pc

from kernel.query.text import fold
from kernel.store.lake import grams
from kernel.store.lake.columns import ADDRESS_COLUMNS, REST, TEXT_COLUMNS, v4_column, v6_column
from kernel.store.lake.needs import Need, may_hold

MAGIC = b"LDNSKIP1"
FULLEST = 0.33
"""A filter is as small as it can be with no larger share of its bits set. A word of seven letters has four keys, so it is looked
for in vain in about one group of a hundred."""

NOT_INDEXED = frozenset({"event.id", "event.ingested"})
INDEXED: tuple[str, ...] = (*sorted(TEXT_COLUMNS - NOT_INDEXED), *map(v6_column, ADDRESS_COLUMNS), REST)
_LONG_TEXTS = frozenset(
    {"event.original", "message", "process.command_line", "process.parent.command_line", "url.original", "url.full", REST}
)

_HEAD = struct.Struct("<8sII")
_GROUP = struct.Struct("<II")
_NUMBER = struct.Struct("<I")
_RUN = struct.Struct("<II")


class Filter(msgspec.Struct, frozen=True):
    """The filter of one row group: ``size`` bits for its rows."""

    rows: int
    size: int
    bits: bytes | memoryview


class Place(msgspec.Struct, frozen=True):
    """Where in a segment's file its index stands; no bytes: it has none."""

    offset: int = 0
    length: int = 0


class Index(msgspec.Struct, frozen=True):
    """The index of a segment: a filter for each row group; of each run its rows and the index of its words (empty: none)."""

    filters: list[Filter]
    runs: list[tuple[int, memoryview]]


class IndexDamagedError(Exception):
    """The bytes are not the index that was written."""


def make_filter(table: Any) -> Filter:
    """The filter of a table's rows (columns of kernel.store.lake.columns.SCHEMA)."""
    addresses = [array for field in ADDRESS_COLUMNS for array in table.column(v4_column(field)).drop_null().chunks]
    return Filter(len(table), *grams.filter_bits(grams.mark(_texts(table), addresses), FULLEST))


def _texts(table: Any) -> Iterator[bytes]:
    """All texts, folded, a column or less at a time."""
    for name in INDEXED:
        column = table.column(name)
        if column.null_count == len(column):
            continue
        for array in column.chunks if name in _LONG_TEXTS else [pc.unique(column)]:
            yield from _folded(array)


def _folded(array: Any) -> list[bytes]:
    """The texts of a string array, folded; in any order and without what parts them."""
    content = _content(array)
    if content.isascii():
        return [content.lower()]
    plain = pc.string_is_ascii(array)
    return [_content(array.filter(plain)).lower(), fold(_content(array.filter(pc.invert(plain))).decode()).encode()]


def _content(array: Any) -> bytes:
    _, offsets, content = array.buffers()
    if content is None or len(array) == 0:
        return b""
    ends = memoryview(offsets).cast("i")
    return bytes(content[ends[array.offset] : ends[array.offset + len(array)]])


def index_bytes(filters: Sequence[Filter], runs: Sequence[tuple[int, bytes]] = ()) -> bytes:
    """The filters of a segment, and the rows and word indexes of its runs, as they stand in its file."""
    pieces = [pack_filters(filters)]
    if runs:
        pieces += [_NUMBER.pack(len(runs)), *(_RUN.pack(rows, len(words)) for rows, words in runs), *(words for _, words in runs)]
    body = b"".join(pieces)
    return _HEAD.pack(MAGIC, len(filters), zlib.crc32(body)) + body


def read_index(path: Path, place: Place, *, check: bool = True) -> Index:
    """The index of a segment, mapped into memory as long as somebody holds them. Raises IndexDamagedError, OSError.

    check  compute the checksum of all of it; needless for an immutable file that was checked before
    """
    with path.open("rb") as file:
        size = file.seek(0, 2)
        if place.offset + place.length > size or place.length < _HEAD.size:
            raise IndexDamagedError("the file is too short")
        start = place.offset - place.offset % mmap.ALLOCATIONGRANULARITY
        mapped = mmap.mmap(file.fileno(), place.offset + place.length - start, access=mmap.ACCESS_READ, offset=start)
    content = memoryview(mapped)[place.offset - start :]
    magic, groups, checksum = _HEAD.unpack_from(content)
    if (
        magic != MAGIC
        or _HEAD.size + groups * _GROUP.size > len(content)
        or (check and zlib.crc32(content[_HEAD.size :]) != checksum)
    ):
        raise IndexDamagedError("its checksum is wrong")
    filters, rest = unpack_filters(content[_HEAD.size :], groups)
    return Index(filters, _runs(rest))


def pack_filters(filters: Sequence[Filter]) -> bytes:
    """Filters as they stand in a file: rows and bits of each, then their bits."""
    return b"".join([*(_GROUP.pack(part.rows, part.size) for part in filters), *(part.bits for part in filters)])


def unpack_filters(content: memoryview, number: int) -> tuple[list[Filter], memoryview]:
    """So many filters, and what stands behind them."""
    filters, at = [], number * _GROUP.size
    for rows, size in _GROUP.iter_unpack(content[:at]):
        length = (size + 7) // 8
        filters.append(Filter(rows, size, content[at : at + length]))
        at += length
    return filters, content[at:]


def _runs(content: memoryview) -> list[tuple[int, memoryview]]:
    if not content:
        return []
    (number,) = _NUMBER.unpack_from(content)
    at = _NUMBER.size + number * _RUN.size
    runs = []
    for rows, length in _RUN.iter_unpack(content[_NUMBER.size : at]):
        runs.append((rows, content[at : at + length]))
        at += length
    return runs


def surviving(filters: Sequence[Filter], need: Need) -> list[tuple[int, int]]:
    """Ranges of row numbers (first, last) that may hold a hit; groups side by side become one."""
    ranges: list[tuple[int, int]] = []
    first = 0
    for part in filters:
        if may_hold(need, partial(grams.has, part.bits, part.size)):
            if ranges and ranges[-1][1] == first - 1:
                ranges[-1] = ranges[-1][0], first + part.rows - 1
            else:
                ranges.append((first, first + part.rows - 1))
        first += part.rows
    return ranges
