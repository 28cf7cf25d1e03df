"""One immutable Parquet file: written beside its place, synced, renamed, directory synced; known by its SM3.

Row groups, then the skip index (see :mod:`.skipindex`), then the footer.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from crypto.sm3 import sm3_hasher
from kernel.errors import StoreError
from kernel.store.lake.columns import DICTIONARY_COLUMNS, ENCODINGS, SCHEMA
from kernel.store.lake.packing import packed
from kernel.store.lake.skipindex import Filter, Place, index_bytes, make_filter
from kernel.store.lake.wordindex import run_bytes

ROW_GROUP = 8192
"""Rows per row group: small groups make point look-ups over many columns cheap (research: 8 % larger, 2-3 times faster)."""
GROUP_BYTES = 64 << 20
"""Bytes of values (as Arrow holds them) in a row group: one with longer records has fewer rows, but always one."""

HOT_LEVEL = 1
DAY_LEVEL = 6
"""zstd levels of a commit and of compaction."""

_PAGE = 8 << 20  # a row group's column is one page: zstd sees more at once
_CHUNK = 1 << 20
_FULL = {errno.ENOSPC, errno.EDQUOT}


class DiskFullError(StoreError):
    """There is no room left on the disk."""


class SegmentWriter:
    """Writes a segment row group by row group into an Arrow output stream, and its skip index behind them.

    words    whether what is written together gets an index of its words
    widest   bytes a row in the row group where that is most
    """

    def __init__(self, sink: Any, level: int, *, words: bool = False) -> None:
        self._sink = sink
        self._words = words
        self._runs: list[tuple[int, bytes]] = []
        self.widest = 0
        self._filters: list[Filter] = []
        self._writer = pq.ParquetWriter(
            sink,
            SCHEMA,
            compression="zstd",
            compression_level=level,
            use_dictionary=DICTIONARY_COLUMNS,
            column_encoding=ENCODINGS,
            data_page_size=_PAGE,
            max_rows_per_page=2 * ROW_GROUP,
            write_page_checksum=True,
        )

    def write(self, table: Any) -> None:
        """Add rows; each ``ROW_GROUP`` of them (and the rest) become a row group. A commit of a few more makes one."""
        size = ROW_GROUP if len(table) > ROW_GROUP * 3 // 2 else len(table)
        groups = len(self._filters)
        for start in range(0, len(table), size or 1):
            for group in _light(table.slice(start, size)):
                self._writer.write_table(packed(group), row_group_size=len(group))
                self._filters.append(make_filter(group))
                self.widest = max(self.widest, group.nbytes // max(1, len(group)))
        if self._words:
            self._runs.append((len(table), run_bytes(table, [group.rows for group in self._filters[groups:]])))

    def finish(self) -> Place:
        """Write the index and the footer; says where the index stands. The sink stays open."""
        content = index_bytes(self._filters, self._runs)
        place = Place(self._sink.tell(), len(content))
        self._sink.write(content)
        self._writer.close()
        return place

    def __enter__(self) -> SegmentWriter:
        return self

    def __exit__(self, *_: object) -> None:
        """After an error: Arrow must not try to write a footer when the sink is closed already."""
        with contextlib.suppress(Exception):
            self._writer.close()


def _light(table: Any) -> Iterator[Any]:
    """The table, or pieces of it that are not too heavy."""
    if table.nbytes <= GROUP_BYTES or len(table) < 2:
        yield table
        return
    middle = len(table) // 2
    yield from _light(table.slice(0, middle))
    yield from _light(table.slice(middle))


def parquet_bytes(table: Any) -> tuple[bytes, Place, int]:
    """The file of a table of one commit, where its skip index stands, and the ``widest`` of its rows."""
    sink = pa.BufferOutputStream()
    with SegmentWriter(sink, HOT_LEVEL) as writer:
        writer.write(table)
        place = writer.finish()
    return bytes(sink.getvalue()), place, writer.widest


def write_durably(path: Path, content: bytes) -> None:
    """Write, fsync, rename into place, fsync the directory. Raises StoreError when the disk is full; then nothing remains."""
    scratch = path.with_name(path.name + ".tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with scratch.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(path)
        sync_directory(path.parent)
    except OSError as error:
        discard(scratch)
        discard(path)
        raise disk_error(error, path) from error


def publish(scratch: Path, path: Path) -> None:
    """Sync a finished file and rename it into place."""
    try:
        with scratch.open("rb") as file:
            os.fsync(file.fileno())
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch.replace(path)
        sync_directory(path.parent)
    except OSError as error:
        discard(scratch)
        raise disk_error(error, path) from error


def sync_directory(path: Path) -> None:
    """Make renames and deletions inside a directory durable."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def discard(path: Path) -> None:
    """Remove a file that need not exist."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()


def file_digest(path: Path) -> str:
    """SM3 of a file, hex. Raises OSError."""
    hasher = sm3_hasher()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            hasher.update(chunk)
    return hasher.hexdigest()


def disk_error(error: OSError, path: Path) -> StoreError:
    """An OSError in words."""
    if error.errno in _FULL:
        return DiskFullError(
            f"disk full: cannot write {path.name} in {path.parent}", "free space; nothing of this batch was stored"
        )
    return StoreError(f"cannot write {path}: {error.strerror or error}", "check the disk and the permissions of the data folder")
