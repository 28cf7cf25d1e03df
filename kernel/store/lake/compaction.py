"""Small segments → larger ones, so that a day is a handful of files however slowly or disorderly its events came.

A commit writes one file into ``hot/`` whatever days its events belong to. Compaction gathers hot segments and writes the days
that have enough events into ``days/YYYY-MM-DD/``; the thin rest (old logs that span years) stays together in one file. Segments
of a day are merged again when several small ones have come together. The swap is one transaction; the chain records which
digests were consumed.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path

from kernel.store.lake.manifest import Manifest, Segment
from kernel.store.lake.merge import MergeError, Output, rewrite
from kernel.store.lake.segment import discard, sync_directory

HOT_SEGMENTS = 12
"""So many hot segments start a compaction."""
HOT_ROWS = 100_000
"""A hot segment of several days larger than this is left as it is."""
DAY_ROWS = 2_000
"""A day with fewer events in a compaction does not get a file of its own."""
FULL_ROWS = 250_000
FULL_BYTES = 256 << 20
"""A segment of this size (a file of so many bytes) is not merged again; no compaction handles more at once."""
MERGE_COUNT = 4
"""So many segments of one day and one size class are merged."""
GRACE_SECONDS = 300.0
"""Replaced files stay this long for readers that still hold the old list."""


def compact(
    root: Path, manifest: Manifest, damaged: set[int], before_merge: Callable[[], None], *, everything: bool = False
) -> int:
    """Do what is due (or with ``everything`` all that is possible); returns the number of segments replaced. Raises StoreError.

    before_merge  is called before segments are replaced
    damaged  sequences of segments to leave alone; those found on the way are added, and MergeError is raised once all else is done
    """
    found: MergeError | None = None
    while True:
        try:
            replaced = _compact_sound(root, manifest, damaged, before_merge, everything)
        except MergeError as error:
            damaged.update(segment.sequence for segment in error.segments)
            found = error
            continue
        if found is not None:
            raise found
        return replaced


def _compact_sound(root: Path, manifest: Manifest, damaged: set[int], before_merge: Callable[[], None], everything: bool) -> int:
    def sound() -> list[Segment]:
        return [segment for segment in manifest.live() if segment.sequence not in damaged]

    replaced = 0
    while group := _hot_group(sound(), everything):
        before = len(group)
        written = rewrite(root, manifest, group, _split(group), before_merge)
        replaced += before
        if written >= before:
            break
    for day_group in _day_groups(sound(), everything):
        rewrite(root, manifest, day_group, [_of_days(day_group, day_group[0].day, [day_group[0].day])], before_merge)
        replaced += len(day_group)
    return replaced


def _hot_group(live: Sequence[Segment], everything: bool) -> list[Segment]:
    hot = sorted((s for s in live if not s.day and s.rows < HOT_ROWS and s.bytes < FULL_BYTES), key=lambda s: s.sequence)
    if len(hot) < (2 if everything else HOT_SEGMENTS):
        return []
    group: list[Segment] = []
    for segment in hot:
        group.append(segment)
        if _fullness(group) >= 1:
            break
    return group if len(group) > 1 else []


def _fullness(segments: Sequence[Segment]) -> float:
    """1 or more: what they hold is a full segment."""
    return max(sum(s.rows for s in segments) / FULL_ROWS, sum(s.bytes for s in segments) / FULL_BYTES)


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
        if segment.day and _fullness([segment]) < 0.5:
            size_class = 0 if everything else len(str(segment.rows))
            classes[segment.day, size_class].append(segment)
    groups = []
    for segments in classes.values():
        group: list[Segment] = []
        for segment in sorted(segments, key=lambda s: s.sequence):
            if _fullness([*group, segment]) <= 1:
                group.append(segment)
        if len(group) >= (2 if everything else MERGE_COUNT):
            groups.append(group)
    return groups


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
