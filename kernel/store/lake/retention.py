"""Dropping old days from the lake; how long events are kept is said in kernel.store.retention_rule."""

from __future__ import annotations

import logging
from datetime import datetime
from pathlib import Path

from kernel.store.lake import compaction
from kernel.store.lake import manifest as manifests
from kernel.store.lake.manifest import Manifest
from kernel.store.retention_rule import a_day_later, first_day_to_keep

log = logging.getLogger(__name__)

CUTOFF = "retention_cutoff"
"""Name of the fact in the manifest: the first day that the last run kept."""


def retain(root: Path, manifest: Manifest, days: int, now: str, *, demo: bool) -> int:
    """Drop the days that ended more than ``days`` days before ``now`` (an @timestamp text); returns the number of events dropped.

    Whole-day segments are dropped; a segment of several days is rewritten without the old ones. The chain keeps what was removed
    and why. Raises StoreError for fewer than 180 days unless the store is a demo store.

    One run moves the border at most one day on from where the last run left it (retention_rule.a_day_later).
    """
    cutoff = a_day_later(manifest.meta(CUTOFF), first_day_to_keep(days, now, demo=demo))
    note = f"retention of {days} days, events before {cutoff} dropped"
    dropped = 0
    whole = [segment for segment in manifest.live() if segment.days and max(segment.days) < cutoff]
    if whole:
        with manifest.transaction() as db:
            manifests.bury_segments(db, whole)
            manifests.append_chain(db, "retain", [], whole, note)
        dropped += sum(segment.rows for segment in whole)
    for segment in manifest.live():
        old = {day: rows for day, rows in segment.days.items() if day < cutoff}
        if old:
            kept = sorted(day for day in segment.days if day >= cutoff)
            compaction.rewrite(root, manifest, [segment], [(segment.day, kept)], kind="retain", note=note)
            dropped += sum(old.values())
    with manifest.transaction() as db:
        db.execute("DELETE FROM quarantine WHERE time < ?", (cutoff,))
        db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (CUTOFF, cutoff))
        manifests.prune_chain(db, datetime.fromisoformat(f"{cutoff}T00:00:00+00:00").timestamp())
    return dropped
