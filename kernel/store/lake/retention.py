"""How long events are kept, and what the law says about it.

Cybersecurity Law of the PRC (《中华人民共和国网络安全法》) art. 21(3): network logs are kept for no less than six months.
MLPS audits of level 3 systems (GB/T 22239-2019, audit records) ask for the same. 180 days is the default and the least that a
store accepts, unless it is a demo.
"""

from __future__ import annotations

import logging
from datetime import date, datetime, timedelta
from pathlib import Path

from kernel.errors import StoreError
from kernel.event import parse_timestamp, timestamp
from kernel.store.lake import compaction
from kernel.store.lake import manifest as manifests
from kernel.store.lake.manifest import Manifest

log = logging.getLogger(__name__)

CUTOFF = "retention_cutoff"
"""Name of the fact in the manifest: the first day that the last run kept."""

MINIMUM_DAYS = 180
CLAUSE = "《网络安全法》第二十一条第（三）项: network logs are kept for no less than six months (180 days)"


def retain(root: Path, manifest: Manifest, days: int, now: str, *, demo: bool) -> int:
    """Drop the days that ended more than ``days`` days before ``now`` (an @timestamp text); returns the number of events dropped.

    Whole-day segments are dropped; a segment of several days is rewritten without the old ones. The chain keeps what was removed
    and why. Raises StoreError for fewer than 180 days unless the store is a demo store.

    One run moves the border at most one day on from where the last run left it: a clock that jumps to 2099 must not empty the
    store before somebody sees it. After a long pause retention catches up day by day.
    """
    if days < MINIMUM_DAYS and not demo:
        raise StoreError(f"{days} days of retention are refused", f"at least {MINIMUM_DAYS}: {CLAUSE}")
    cutoff = _at_most_a_day_later(manifest, _cutoff(days, now))
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


def _at_most_a_day_later(manifest: Manifest, cutoff: str) -> str:
    previous = manifest.meta(CUTOFF)
    if previous is None:
        return cutoff
    following = str(date.fromisoformat(previous) + timedelta(days=1))
    if cutoff > following:
        log.warning(
            "retention asks to drop all before %s, this run drops what is before %s (is the clock right?)", cutoff, following
        )
    return min(cutoff, following)


def _cutoff(days: int, now: str) -> str:
    """The first day to keep, ``YYYY-MM-DD``."""
    moment = parse_timestamp(now)
    if moment is None:
        raise StoreError(f"{now!r} is no time", "write 2026-11-23T04:40:00Z")
    return timestamp(datetime.fromisoformat(moment) - timedelta(days=days))[:10]
