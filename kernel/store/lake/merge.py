"""Events of some segments → new segments in their place, in one transaction; memory is bounded whatever the events weigh.

Rows come in batches of at most about ``BATCH_BYTES``: the manifest says how much a row of a segment may weigh (``widest``), and a
row group is never larger than segment.GROUP_BYTES. So neither Arrow's 2 GiB of text in one column nor the machine's memory ends
what records of a megabyte begin.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from kernel.errors import StoreError
from kernel.event import timestamp
from kernel.store.lake import changes
from kernel.store.lake.ages import AGE_SQL, DAY_SQL
from kernel.store.lake.columns import CORE, REST, SCHEMA, quoted
from kernel.store.lake.manifest import Manifest, Segment
from kernel.store.lake.segment import DAY_LEVEL, ROW_GROUP, DiskFullError, SegmentWriter, discard, file_digest, publish
from kernel.store.lake.session import connect, parquet
from kernel.store.lake.skipindex import Place
from kernel.store.lake.source import layout_of, table, whole

RUN_ROWS = 8 * ROW_GROUP
RUN_BYTES = 128 << 20
"""So many rows, or bytes of values, are put in order together."""
BATCH_BYTES = 64 << 20

WORD_ROWS = RUN_ROWS // 2
"""A segment with so many events gets an index of its words. (Smaller ones are read soon, and merged soon.)"""

MEMORY = "512MB"
_SHORTENED = 2
"""How much longer values may be than they are in a file: what a mark stands for (:mod:`.packing`) stands in the file once."""


class Output(msgspec.Struct, frozen=True):
    """A segment to be written: the events for which a condition (SQL) holds, ``rows`` of them. ``day``: "" for several days."""

    day: str
    condition: str
    rows: int


class MergeError(StoreError):
    """Segments that cannot be merged, though there is room on the disk."""

    def __init__(self, segments: Sequence[Segment], reason: str) -> None:
        names = ", ".join(segment.path for segment in segments)
        super().__init__(f"segment {names} {reason}"[:2_000], "run ./liandun store verify; the events stay where they are")
        self.segments = segments


class DamagedError(MergeError):
    """A segment that cannot be merged because it cannot be read."""

    def __init__(self, segment: Segment) -> None:
        super().__init__([segment], "is damaged and cannot be compacted")


def rewrite(
    root: Path,
    manifest: Manifest,
    group: Sequence[Segment],
    outputs: Sequence[Output],
    before: Callable[[], None],
    *,
    kind: str = "compact",
    note: str = "",
) -> int:
    """Write the events of a group into new segments and swap them in; returns how many were written.

    ``before`` is called first. Events that no output wants are dropped (retention). Raises MergeError, DiskFullError, StoreError;
    then nothing has changed.
    """
    scratch = root / "tmp"
    scratch.mkdir(exist_ok=True)
    before()
    connection = connect(root, MEMORY, scratch=scratch)
    written: list[Segment] = []
    try:
        for output in outputs:
            written.append(_merge(root, connection, group, manifest.reserve_sequence(), output))
        with manifest.transaction() as db:
            for segment in written:
                changes.add_segment(db, segment)
            if not changes.bury_segments(db, group):
                raise StoreError("segments changed while they were being compacted", "try again")
            changes.append_chain(db, kind, written, group, note)
    except BaseException:
        for segment in written:
            discard(root / segment.path)
        raise
    finally:
        connection.close()
    return len(written)


def _merge(root: Path, connection: Any, group: Sequence[Segment], sequence: int, output: Output) -> Segment:
    path = f"days/{output.day}/{sequence:010d}.parquet" if output.day else f"hot/{sequence:010d}.parquet"
    scratch = root / "tmp" / f"{sequence:010d}.parquet"
    source = table(root, whole(sorted(group, key=lambda segment: segment.first)))
    sql = f"SELECT * FROM {source} WHERE {output.condition}"  # noqa: S608
    try:
        reader = connection.sql(sql).to_arrow_reader(_batch_rows(root, group))
        index, rows, widest = _write(reader, scratch, words=output.rows >= WORD_ROWS)
        parts = connection.execute(_parts_of(scratch)).fetchall()
    except (duckdb.Error, pa.ArrowException, OSError, MemoryError) as error:
        discard(scratch)
        raise _error(error, root, connection, group) from error
    if rows != output.rows:
        discard(scratch)
        raise MergeError(group, f"gave {rows} events where the manifest has {output.rows}")
    days, ages, datasets = (_counted(parts, column) for column in range(3))
    digest, size = file_digest(scratch), scratch.stat().st_size
    publish(scratch, root / path)
    return Segment(
        sequence=sequence,
        path=path,
        day=output.day,
        first=timestamp(min(part[4] for part in parts)),
        last=timestamp(max(part[5] for part in parts)),
        rows=rows,
        bytes=size,
        sm3=digest,
        layout=layout_of(group),
        days=days,
        datasets=datasets,
        index=index,
        ages=ages,
        widest=widest,
    )


def _batch_rows(root: Path, group: Sequence[Segment]) -> int:
    """How many rows at a time are about ``BATCH_BYTES`` at most (and never more than a row group)."""
    widest = max(segment.widest or _widest_in(root / segment.path) for segment in group)
    return min(ROW_GROUP, max(1, BATCH_BYTES // max(1, widest)))


def _widest_in(path: Path) -> int:
    """An estimate for a segment of a program that did not note it: bytes a row in the heaviest row group."""
    try:
        facts = pq.read_metadata(path)
    except (OSError, pa.ArrowException):
        return 0  # damaged: reading it will tell
    groups = (facts.row_group(number) for number in range(facts.num_row_groups))
    return max((_SHORTENED * group.total_byte_size // max(1, group.num_rows) for group in groups), default=0)


def _write(reader: Any, path: Path, *, words: bool) -> tuple[Place, int, int]:
    """Where the skip index stands, the number of rows, and the ``widest`` of them."""
    rows = 0
    with pa.OSFile(str(path), "wb") as file, SegmentWriter(file, DAY_LEVEL, words=words) as writer:
        waiting: list[Any] = []
        gathered = size = 0
        for batch in reader:
            waiting.append(batch)
            gathered += len(batch)
            size += batch.nbytes
            rows += len(batch)
            if gathered >= RUN_ROWS or size >= RUN_BYTES:
                run = pa.Table.from_batches(waiting)
                writer.write(_in_order(run.slice(0, RUN_ROWS)))
                rest = run.slice(RUN_ROWS)
                waiting, gathered, size = rest.to_batches(), len(rest), rest.nbytes
        if waiting:
            writer.write(_in_order(pa.Table.from_batches(waiting)))
        return writer.finish(), rows, writer.widest


def _in_order(run: Any) -> Any:
    run = run.cast(SCHEMA)
    return run.take(pc.sort_indices(run, [("event.dataset", "ascending"), ("@timestamp", "ascending")]))


def _parts_of(path: Path) -> str:
    """Day, age, dataset, and for each such part the number of events, the first and the last ``@timestamp``."""
    part = f"{DAY_SQL}, {AGE_SQL}, coalesce(\"event.dataset\", '(none)')"
    return f'SELECT {part}, count(*), min("@timestamp"), max("@timestamp") FROM {parquet(path)} GROUP BY 1, 2, 3'  # noqa: S608


def _counted(parts: Sequence[Sequence[Any]], column: int) -> dict[str, int]:
    counted: Counter[str] = Counter()
    for part in parts:
        counted[part[column]] += part[3]
    return dict(sorted(counted.items()))


def _error(error: Exception, root: Path, connection: Any, group: Sequence[Segment]) -> StoreError:
    text = (str(error).splitlines() or [type(error).__name__])[0][:200]
    short_of_memory = isinstance(error, (duckdb.OutOfMemoryException, pa.ArrowMemoryError, MemoryError))
    if "No space left" in text or ("disk" in text.lower() and not short_of_memory):
        return DiskFullError("disk full: compaction stopped", "free space; the events are safe in their small segments")
    columns = ", ".join(f"max({quoted(name)})" for name in (*CORE, REST))
    cursor = connection.cursor()  # the connection may still have the result open that failed
    for segment in group:
        try:
            cursor.execute(f"SELECT {columns} FROM {table(root, whole([segment]))}").fetchall()  # noqa: S608
        except duckdb.OutOfMemoryException:
            continue
        except duckdb.Error:
            return DamagedError(segment)
    return MergeError(group, f"cannot be compacted: {text}")
