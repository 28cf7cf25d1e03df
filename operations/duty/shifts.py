"""Shifts of the day and their bounds: pure arithmetic. Beijing has no daylight saving time, so a day has 24 hours."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta

import msgspec

from kernel.event import SHANGHAI, timestamp
from operations.errors import Invalid

DAY_MINUTES = 24 * 60
MAX_SHIFTS = 6
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")


class Shift(msgspec.Struct, frozen=True):
    """``start`` in minutes after midnight in Beijing, ``length`` in minutes; it may end on the next day."""

    id: str
    name: str
    name_en: str
    start: int
    length: int

    @property
    def begins(self) -> str:
        """HH:MM."""
        return f"{self.start // 60:02d}:{self.start % 60:02d}"

    @property
    def ends(self) -> str:
        """HH:MM, perhaps of the next day."""
        end = (self.start + self.length) % DAY_MINUTES
        return f"{end // 60:02d}:{end % 60:02d}"


PROPOSED: tuple[Shift, ...] = (
    Shift("day", "白班", "Day", 8 * 60 + 30, 12 * 60),
    Shift("night", "夜班", "Night", 20 * 60 + 30, 12 * 60),
)
"""What applies until somebody sets others. No standard prescribes the hours."""


def day_of(text: str, field: str = "day") -> date:
    """The day of YYYY-MM-DD. Raises Invalid."""
    try:
        found = date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) else None
    except ValueError:
        found = None
    if found is None or not 2000 <= found.year <= 2200:
        raise Invalid(f"{text[:20]!r} is no day", "write 2026-11-26", field=field)
    return found


def today(now: str) -> date:
    """The day in Beijing at the moment ``now``."""
    return datetime.fromisoformat(now).astimezone(SHANGHAI).date()


def minutes_of(text: str, field: str = "start") -> int:
    """Minutes after midnight of HH:MM. Raises Invalid."""
    match = _CLOCK.fullmatch(text)
    if match is None:
        raise Invalid(f"{text[:20]!r} is no time of the day", "write 08:30", field=field)
    return int(match[1]) * 60 + int(match[2])


def bounds(day: date, shift: Shift) -> tuple[str, str]:
    """When the shift of that day begins and ends (UTC)."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)
    start = midnight + timedelta(minutes=shift.start)
    return timestamp(start), timestamp(start + timedelta(minutes=shift.length))


def check(shifts: Sequence[Shift]) -> None:
    """Raises Invalid for shifts that are none, share an id, or overlap (also across midnight)."""
    if not 1 <= len(shifts) <= MAX_SHIFTS:
        raise Invalid(f"a day has 1 to {MAX_SHIFTS} shifts", field="shifts")
    taken: set[int] = set()
    for shift in shifts:
        if not _ID.fullmatch(shift.id) or [one.id for one in shifts].count(shift.id) > 1:
            raise Invalid("the id of a shift has lower-case letters, digits and -, and is there once", field="id")
        if not shift.name.strip() or len(shift.name) > 64 or len(shift.name_en) > 64:
            raise Invalid("a shift has a name of at most 64 characters", field="name")
        if not 0 <= shift.start < DAY_MINUTES or not 30 <= shift.length <= DAY_MINUTES:
            raise Invalid("a shift lasts 30 minutes to 24 hours", field="length")
        minutes = {(shift.start + at) % DAY_MINUTES for at in range(shift.length)}
        if taken & minutes:
            raise Invalid("shifts of a day do not overlap", field="start")
        taken |= minutes
