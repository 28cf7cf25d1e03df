"""What the law says about how long events are kept, for every engine.

Cybersecurity Law of the PRC (《中华人民共和国网络安全法》) art. 21(3): network logs are kept for no less than six months.
MLPS audits of level 3 systems (GB/T 22239-2019, audit records) ask for the same. 180 days is the default and the least that a
store accepts, unless it is a demo.
"""

from __future__ import annotations

import logging
from datetime import date, datetime, timedelta

from kernel.errors import StoreError
from kernel.event import parse_timestamp, timestamp

log = logging.getLogger(__name__)

MINIMUM_DAYS = 180
CLAUSE = "《网络安全法》第二十一条第（三）项: network logs are kept for no less than six months (180 days)"


def first_day_to_keep(days: int, now: str, *, demo: bool) -> str:
    """The first day that a retention of ``days`` days keeps at ``now``, ``YYYY-MM-DD``. StoreError below the legal minimum."""
    if days < MINIMUM_DAYS and not demo:
        raise StoreError(f"{days} days of retention are refused", f"at least {MINIMUM_DAYS}: {CLAUSE}")
    moment = parse_timestamp(now)
    if moment is None:
        raise StoreError(f"{now!r} is no time", "write 2026-11-23T04:40:00Z")
    return timestamp(datetime.fromisoformat(moment) - timedelta(days=days))[:10]


def a_day_later(previous: str | None, cutoff: str) -> str:
    """The border of this run: at most one day after that of the last one (``previous``, none at first).

    A clock that jumps to 2099 must not empty the store before somebody sees it. After a long pause retention catches up day by day.
    """
    if not previous:
        return cutoff
    following = str(date.fromisoformat(previous) + timedelta(days=1))
    if cutoff > following:
        log.warning(
            "retention asks to drop all before %s, this run drops what is before %s (is the clock right?)", cutoff, following
        )
    return min(cutoff, following)
