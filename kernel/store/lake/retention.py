"""Dropping old days from the lake; how long events are kept says kernel.store.retention_rule, by which day :mod:`.ages`."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import duckdb

from kernel.errors import StoreError
from kernel.event import timestamp_from_micros
from kernel.store.lake import changes
from kernel.store.lake.ages import AGE_SQL
from kernel.store.lake.manifest import Manifest, Segment
from kernel.store.lake.merge import Output, rewrite
from kernel.store.lake.segment import discard
from kernel.store.lake.session import Session, parquet
from kernel.store.lake.writer import LOST
from kernel.store.retention_rule import a_day_later, first_day_to_keep

log = logging.getLogger(__name__)

CUTOFF = "retention_cutoff"
"""Name of the fact in the manifest: the first day that the last run kept."""


def retain(
    root: Path, manifest: Manifest, session: Session, before_merge: Callable[[], None], days: int, now: str, *, demo: bool
) -> int:
    """Drop what is from days that ended more than ``days`` days before ``now`` (an @timestamp text); returns the number of events.

    Segments in which all is old are dropped; one with old and younger events is written anew without the old ones. The chain keeps
    what was removed and why. Raises StoreError for fewer than 180 days unless the store is a demo store, and, when all else is
    done, for a segment that could not be written anew.

    One run moves the border at most one day on from where the last run left it (retention_rule.a_day_later).
    """
    cutoff = a_day_later(manifest.meta(CUTOFF), first_day_to_keep(days, now, demo=demo))
    note = f"retention of {days} days, events before {cutoff} dropped"
    ages = {
        segment.sequence: segment.ages or _read_ages(root, session, segment)
        for segment in manifest.live()
        if segment.days and min(segment.days) < cutoff
    }
    whole = [segment for segment in manifest.live() if max(ages.get(segment.sequence, {cutoff: 0})) < cutoff]
    if whole:
        with manifest.transaction() as db:
            changes.bury_segments(db, whole)
            changes.append_chain(db, "retain", [], whole, note)
    dropped = sum(segment.rows for segment in whole)
    failed: StoreError | None = None
    for segment in manifest.live():
        counts = ages.get(segment.sequence, {})
        kept = sum(rows for day, rows in counts.items() if day >= cutoff)
        old = sum(counts.values()) - kept
        if old:
            output = Output(segment.day, f"{AGE_SQL} >= '{cutoff}'", kept)
            try:
                rewrite(root, manifest, [segment], [output], before_merge, kind="retain", note=note)
            except StoreError as error:
                log.error("retention: %d old events stay in %s: %s", old, segment.path, error)
                failed = failed or error
            else:
                dropped += old
    with manifest.transaction() as db:
        db.execute("DELETE FROM quarantine WHERE time < ?", (cutoff,))
        db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (CUTOFF, cutoff))
        changes.prune_chain(db, datetime.fromisoformat(f"{cutoff}T00:00:00+00:00").timestamp())
    _forget_lost(root, cutoff)
    if failed is not None:
        raise failed
    return dropped


def _forget_lost(root: Path, cutoff: str) -> None:
    """Files that were set aside go when they were written before the border."""
    for path in root.glob(f"{LOST}/*"):
        if timestamp_from_micros(int(path.stat().st_mtime * 1e6)) < cutoff:
            log.warning("retention: deleting %s, which the manifest never knew", path)
            discard(path)


def _read_ages(root: Path, session: Session, segment: Segment) -> dict[str, int]:
    """Of a segment that a program wrote which did not yet count them. One that cannot be read goes by its ``@timestamp``."""
    cursor = session.cursor()
    try:
        sql = f"SELECT {AGE_SQL}, count(*) FROM {parquet(root / segment.path)} GROUP BY 1"  # noqa: S608
        return dict(cursor.execute(sql).fetchall())
    except duckdb.Error as error:
        log.error("segment %s cannot be read, retention goes by its @timestamp alone: %s", segment.path, error)
        return segment.days
    finally:
        cursor.close()
