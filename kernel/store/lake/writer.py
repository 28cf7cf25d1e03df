"""The one writer of a lake: its lock, its commits, and what a crash may have left."""

from __future__ import annotations

import fcntl
import gc
import logging
import os
from pathlib import Path
from typing import Any

from crypto.private_file import open_lock
from crypto.sm3 import sm3
from kernel.errors import StoreError
from kernel.event import Event
from kernel.store.contract import Commit
from kernel.store.lake import changes
from kernel.store.lake.encode import encode
from kernel.store.lake.manifest import Manifest, Segment
from kernel.store.lake.recent import RecentIds
from kernel.store.lake.segment import discard, parquet_bytes, write_durably

log = logging.getLogger(__name__)

LOST = "lost"
"""Folder of segments that the manifest does not know."""

DUPLICATES = "store.duplicates"
"""Durable counter of events dropped because their event.id was stored already."""


class WriterLock:
    """An advisory lock on ``writer.lock``; the kernel frees it when the process dies."""

    def __init__(self, root: Path) -> None:
        self._file = os.fdopen(open_lock(root / "writer.lock"), "r+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.seek(0)
            owner = self._file.read().strip() or "unknown"
            self._file.close()
            raise StoreError(
                f"{root} is already being written by process {owner}", "one writer per store: stop that one, or open it for reading"
            ) from error
        self._file.truncate(0)
        self._file.write(str(os.getpid()))
        self._file.flush()

    def release(self) -> None:
        """Let another process write."""
        self._file.close()


def commit(root: Path, manifest: Manifest, recent: RecentIds, batch: Commit) -> None:
    """Store a batch atomically and durably. Raises StoreError; then nothing of it is stored."""
    if batch.consumer:
        position, _ = manifest.consumer(batch.consumer)
        if batch.position < position or (batch.events and batch.position == position):
            raise StoreError(
                f"{batch.consumer} stands at {position} already, it cannot commit {batch.position}", "read the position again"
            )
    fresh, duplicates = _without_duplicates(batch.events, recent)
    counters = dict(batch.counters)
    if duplicates:
        counters[DUPLICATES] = counters.get(DUPLICATES, 0) + duplicates
    segment = _write(root, manifest.reserve_sequence(), fresh) if fresh else None
    try:
        with manifest.transaction() as db:
            if segment:
                changes.add_segment(db, segment)
                changes.append_chain(db, "commit", [segment], [])
            if batch.consumer:
                changes.set_consumer(db, batch.consumer, batch.position, batch.state)
            changes.add_counters(db, counters)
            changes.add_quarantined(db, batch.quarantined)
    except BaseException:
        if segment:
            discard(root / segment.path)
        raise
    if segment:
        recent.add({event["event.id"] for event in fresh})


def _without_duplicates(events: list[Event], recent: RecentIds) -> tuple[list[Event], int]:
    identifiers: list[Any] = [event.get("event.id") for event in events]
    if not set(map(type, identifiers)) <= {str}:
        wrong = next(event for event in events if not isinstance(event.get("event.id"), str))
        raise StoreError(f"an event without event.id text cannot be stored: {str(wrong)[:200]}")
    distinct = set(identifiers)
    known = recent.known(distinct)
    if len(distinct) == len(events) and not known:
        return events, 0
    unique: dict[str, Event] = {}
    for identifier, event in zip(identifiers, events, strict=True):
        if identifier not in known:
            unique.setdefault(identifier, event)
    return list(unique.values()), len(events) - len(unique)


def _write(root: Path, sequence: int, events: list[Event]) -> Segment:
    running = gc.isenabled()
    gc.disable()  # a collection in the midst of a million small objects doubles the time
    try:
        encoded = encode(events)
        content, place, widest = parquet_bytes(encoded.table)
    finally:
        if running:
            gc.enable()
    path = f"hot/{sequence:010d}.parquet"
    write_durably(root / path, content)
    return Segment(
        sequence=sequence,
        path=path,
        day="",
        first=encoded.first,
        last=encoded.last,
        rows=encoded.table.num_rows,
        bytes=len(content),
        sm3=sm3(content).hex(),
        layout=encoded.layout,
        days=encoded.days,
        datasets=encoded.datasets,
        index=place,
        ages=encoded.ages,
        widest=widest,
    )


def clear_leftovers(root: Path, manifest: Manifest) -> None:
    """Put in order what a crash left between writing a file and recording it.

    Half-written files are deleted. A whole one that the manifest does not know goes to ``lost/`` and is named by ``verify``: nearly
    always it is a batch that was never acknowledged and is delivered again, but after a manifest was restored from an old backup
    it is the only copy. Retention deletes it when it is old.
    """
    known = manifest.paths()
    for scratch in (*root.glob("hot/*.tmp"), *root.glob("days/*/*.tmp"), *root.glob("tmp/*")):
        if scratch.is_file():
            discard(scratch)
    for path in sorted((*root.glob("hot/*.parquet"), *root.glob("days/*/*.parquet"))):
        if path.relative_to(root).as_posix() not in known:
            place = _free_place(root / LOST / f"{path.parent.name}-{path.name}")
            log.warning("moving %s to %s: the manifest does not know it", path, place)
            path.replace(place)


def _free_place(path: Path) -> Path:
    """The path, or one like it that is not taken: the number of an unrecorded file is given again."""
    path.parent.mkdir(exist_ok=True)
    place, number = path, 1
    while place.exists():
        number += 1
        place = path.with_stem(f"{path.stem}-{number}")
    return place
