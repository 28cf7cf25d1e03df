"""By which day an event is kept: that of its ``@timestamp`` or of its arrival (``event.ingested``), whichever is later.

A camera whose clock went back to 2019 writes today's records with times of 2019. They are not seven years old: the law counts from
when they were recorded here. Both definitions below must say the same: tests/kernel/store/test_lake_retention.py.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT", re.ASCII)

DAY_SQL = """CAST(CAST("@timestamp" AS DATE) AS VARCHAR)"""
AGE_SQL = (
    f"greatest({DAY_SQL}, CASE WHEN regexp_matches(\"event.ingested\", '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T')"
    " THEN substr(\"event.ingested\", 1, 10) ELSE '' END)"
)
"""``YYYY-MM-DD``, over the columns of a segment."""


def age_days(times: Sequence[str], arrivals: Sequence[Any] | None) -> Counter[str]:
    """How many events count for which day. ``arrivals``: the values of ``event.ingested``, None where no event has one."""
    days = [time[:10] for time in times]
    if arrivals is None:
        return Counter(days)
    begins = [arrival[:11] if type(arrival) is str else "" for arrival in arrivals]
    ages: Counter[str] = Counter()
    for (day, begin), events in Counter(zip(days, begins, strict=True)).items():
        ages[max(day, begin[:10]) if _MOMENT.fullmatch(begin) else day] += events
    return ages
