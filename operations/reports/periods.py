"""Days, weeks and months as the city counts them (Asia/Shanghai). Pure: the present moment is handed in.

A week begins on Monday (GB/T 7408.1-2023, as ISO 8601).
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

import msgspec

from kernel.event import SHANGHAI, timestamp
from operations import clock
from operations.errors import Invalid

KINDS: tuple[str, ...] = ("daily", "weekly", "monthly")
FIRST_YEAR, LAST_YEAR = 2000, 2200


class Period(msgspec.Struct, frozen=True):
    """``kind`` with its first day; ``end`` is the first day after it."""

    kind: str
    first: date

    @property
    def end(self) -> date:
        if self.kind == "daily":
            return self.first + timedelta(days=1)
        if self.kind == "weekly":
            return self.first + timedelta(days=7)
        return (self.first.replace(day=1) + timedelta(days=32)).replace(day=1)

    @property
    def bounds(self) -> tuple[str, str]:
        """As moments (UTC): from (included), to."""
        return _midnight(self.first), _midnight(self.end)

    @property
    def before(self) -> Period:
        """The period right before this one."""
        return holding(self.kind, self.first - timedelta(days=1))

    @property
    def label(self) -> str:
        """2026-11-25, 2026-11-16 – 2026-11-22, or 2026-10."""
        if self.kind == "daily":
            return self.first.isoformat()
        last = self.end - timedelta(days=1)
        return f"{self.first} – {last}" if self.kind == "weekly" else f"{self.first:%Y-%m}"


def holding(kind: str, day: date) -> Period:
    """The period of this kind that ``day`` lies in. Raises Invalid."""
    if kind not in KINDS:
        raise Invalid(f"there is no kind {kind[:16]!r}", f"one of {', '.join(KINDS)}", field="kind")
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise Invalid(f"a day of the years {FIRST_YEAR} to {LAST_YEAR}", field="day")
    if kind == "weekly":
        return Period(kind, day - timedelta(days=day.weekday()))
    return Period(kind, day.replace(day=1) if kind == "monthly" else day)


def last_complete(kind: str, now: str) -> Period:
    """The newest period that is over."""
    return holding(kind, today(now)).before


def due_at(period: Period, minute: int) -> str:
    """When its report is due: ``minute`` minutes after the midnight that ends it."""
    return clock.shift(period.bounds[1], minute * 60)


def today(now: str) -> date:
    """The day in Beijing."""
    return clock.moment(now).astimezone(SHANGHAI).date()


def _midnight(day: date) -> str:
    return timestamp(datetime(day.year, day.month, day.day, tzinfo=SHANGHAI))
