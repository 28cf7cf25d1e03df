"""Small segments → larger ones, so that a day is a handful of files however slowly or disorderly its events came.

A commit writes one file into ``hot/`` whatever days its events belong to. Compaction gathers hot segments and writes the days
that have enough events into ``days/YYYY-MM-DD/``; the thin rest (old logs that span years) stays together in one file. Segments
of a day are merged again when several small ones have come together. The swap is one transaction; the chain records which
digests were consumed.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from kernel.errors import StoreError
from kernel.event import timestamp
from kernel.store.lake import manifest as manifests
from kernel.store.lake.ages import AGE_SQL, DAY_SQL
from kernel.store.lake.columns import CORE, REST, SCHEMA, quoted
from kernel.store.lake.manifest import Manifest, Segment
from kernel.store.lake.segment import DAY_LEVEL, ROW_GROUP, SegmentWriter, discard, file_digest, publish, sync_directory
from kernel.store.lake.session import connect, parquet
from kernel.store.lake.skipindex import Place
from kernel.store.lake.source import layout_of, table, whole

log = logging.getLogger(__name__)

HOT_SEGMENTS = 12
"""So many hot segments start a compaction."""
HOT_ROWS = 100_000
"""A hot segment of several days larger than this is left as it is."""
DAY_ROWS = 2_000
"""A day with fewer events in a compaction does not get a file of its own."""
FULL_ROWS = 250_000
"""A segment of this size is not merged again; no compaction handles more rows at once."""
MERGE_COUNT = 4
"""So many segments of one day and one size class are merged."""
RUN_ROWS = 8 * ROW_GROUP
"""So many rows are put in order together."""
GRACE_SECONDS = 300.0
"""Replaced files stay this long for readers that still hold the old list."""

MEMORY = "512MB"


class Output(msgspec.Struct, frozen=True):
    """A segment to be written: the events for which a condition (SQL) holds, ``rows`` of them. ``day``: "" for several days."""

    day: str
    condition: str
    rows: int


class DamagedError(StoreError):
    """A segment that cannot be merged because it cannot be read."""

    def __init__(self, segment: Segment) -> None:
        super().__init__(f"segment {segment.path} is damaged and cannot be compacted", "run ./liandun store verify")
        self.segment = segment


def compact(root: Path, manifest: Manifest, damaged: set[int], *, everything: bool = False) -> int:
    """Do what is due (or with ``everything`` all that is possible); returns the number of segments replaced. Raises StoreError.

    damaged  sequences of segments to leave alone; one found on the way is added and DamagedError raised once all else is done
    """
    found: DamagedError | None = None
    while True:
        try:
            replaced = _compact_sound(root, manifest, damaged, everything)
        except DamagedError as error:
            damaged.add(error.segment.sequence)
            found = error
            continue
        if found is not None:
            raise found
        return replaced


def _compact_sound(root: Path, manifest: Manifest, damaged: set[int], everything: bool) -> int:
    def sound() -> list[Segment]:
        return [segment for segment in manifest.live() if segment.sequence not in damaged]

    replaced = 0
    while group := _hot_group(sound(), everything):
        before = len(group)
        written = rewrite(root, manifest, group, _split(group))
        replaced += before
        if written >= before:
            break
    for day_group in _day_groups(sound(), everything):
        rewrite(root, manifest, day_group, [_of_days(day_group, day_group[0].day, [day_group[0].day])])
        replaced += len(day_group)
    return replaced


def _hot_group(live: Sequence[Segment], everything: bool) -> list[Segment]:
    hot = sorted((s for s in live if not s.day and (s.rows < HOT_ROWS)), key=lambda s: s.sequence)
    if len(hot) < (2 if everything else HOT_SEGMENTS):
        return []
    group: list[Segment] = []
    for segment in hot:
        group.append(segment)
        if sum(s.rows for s in group) >= FULL_ROWS:
            break
    return group if len(group) > 1 else []


def _split(group: Sequence[Segment]) -> list[Output]:
    """A file for each day with enough events, and one for the thin rest."""
    days: Counter[str] = Counter()
    for segment in group:
        days.update(segment.days)
    full = [_of_days(group, day, [day]) for day, rows in sorted(days.items()) if rows >= DAY_ROWS]
    thin = sorted(day for day, rows in days.items() if rows < DAY_ROWS)
    return [*full, _of_days(group, "", thin)] if thin else full


def _of_days(group: Sequence[Segment], day: str, days: Sequence[str]) -> Output:
    chosen = ", ".join(f"DATE '{name}'" for name in days)
    rows = sum(segment.days.get(name, 0) for segment in group for name in days)
    return Output(day, f'CAST("@timestamp" AS DATE) IN ({chosen})', rows)


def _day_groups(live: Sequence[Segment], everything: bool) -> list[list[Segment]]:
    classes: dict[tuple[str, int], list[Segment]] = defaultdict(list)
    for segment in live:
        if segment.day and segment.rows < FULL_ROWS // 2:
            size_class = 0 if everything else len(str(segment.rows))
            classes[segment.day, size_class].append(segment)
    groups = []
    for segments in classes.values():
        group: list[Segment] = []
        for segment in sorted(segments, key=lambda s: s.sequence):
            if sum(s.rows for s in group) + segment.rows <= FULL_ROWS:
                group.append(segment)
        if len(group) >= (2 if everything else MERGE_COUNT):
            groups.append(group)
    return groups


def rewrite(
    root: Path,
    manifest: Manifest,
    group: Sequence[Segment],
    outputs: Sequence[Output],
    *,
    kind: str = "compact",
    note: str = "",
) -> int:
    """Write the events of a group into new segments and swap them in; returns how many were written.

    Events that no output wants are dropped (retention). Raises StoreError when a file is damaged or the swap is not possible.
    """
    scratch = root / "tmp"
    scratch.mkdir(exist_ok=True)
    connection = connect(root, MEMORY, scratch=scratch)
    written: list[Segment] = []
    try:
        for output in outputs:
            written.append(_merge(root, connection, group, manifest.reserve_sequence(), output))
        with manifest.transaction() as db:
            for segment in written:
                manifests.add_segment(db, segment)
            if not manifests.bury_segments(db, group):
                raise StoreError("segments changed while they were being compacted", "try again")
            manifests.append_chain(db, kind, written, group, note)
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
        index, rows = _write(connection.sql(sql).to_arrow_reader(ROW_GROUP), scratch)
        parts = connection.execute(_parts_of(scratch)).fetchall()
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        discard(scratch)
        raise _error(error, root, connection, group) from error
    if rows != output.rows:
        discard(scratch)
        raise StoreError(f"compaction read {rows} events where the manifest has {output.rows}", "run ./liandun store verify")
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
    )


def _write(reader: Any, path: Path) -> tuple[Place, int]:
    """Write record batches as a segment; where its index stands, and how many rows it has.

    Rows are ordered by dataset and time in runs of ``RUN_ROWS``: so little memory is needed, a row group is mostly of one dataset
    (small, and skipped as a whole by questions about others) and of a short time.
    """
    rows = 0
    with pa.OSFile(str(path), "wb") as sink, SegmentWriter(sink, DAY_LEVEL) as writer:
        waiting: list[Any] = []
        gathered = 0
        for batch in reader:
            waiting.append(batch)
            gathered += len(batch)
            if gathered >= RUN_ROWS:
                run = pa.Table.from_batches(waiting)
                writer.write(_in_order(run.slice(0, RUN_ROWS)))
                waiting = run.slice(RUN_ROWS).to_batches()
                gathered -= RUN_ROWS
                rows += RUN_ROWS
        if waiting:
            writer.write(_in_order(pa.Table.from_batches(waiting)))
        return writer.finish(), rows + gathered


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
    if "No space left" in text or "disk" in text.lower():
        return StoreError("disk full: compaction stopped", "free space; the events are safe in their small segments")
    columns = ", ".join(f"max({quoted(name)})" for name in (*CORE, REST))
    for segment in group:
        try:
            connection.execute(f"SELECT {columns} FROM {table(root, whole([segment]))}").fetchall()  # noqa: S608
        except duckdb.Error:
            return DamagedError(segment)
    return StoreError(f"compaction failed: {text}", "run ./liandun store verify")


def purge(root: Path, manifest: Manifest, *, grace: float = GRACE_SECONDS) -> int:
    """Delete the files of segments that were replaced or dropped at least ``grace`` seconds ago; returns how many."""
    dead = manifest.dead(time.time() - grace)
    touched: set[Path] = set()
    for segment in dead:
        path = root / segment.path
        discard(path)
        touched.add(path.parent)
    for folder in touched:
        if not folder.is_dir():
            continue
        sync_directory(folder)
        if folder.parent.name == "days":
            with contextlib.suppress(OSError):
                folder.rmdir()
    if dead:
        with manifest.transaction() as db:
            db.executemany("DELETE FROM segments WHERE sequence = ? AND died IS NOT NULL", [(s.sequence,) for s in dead])
    return len(dead)
