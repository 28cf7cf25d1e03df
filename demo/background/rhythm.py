"""How awake the city is: by hour of its own clock (Asia/Shanghai), on working days and at weekends."""

from __future__ import annotations

from datetime import datetime

from kernel.event import SHANGHAI

_OFFICE = (
    (8, 6, 5, 5, 5, 6, 10, 25, 80, 100, 100, 90, 40, 60, 95, 100, 95, 75, 35, 22, 18, 14, 12, 10),
    (6, 5, 5, 5, 5, 5, 6, 8, 12, 14, 14, 12, 10, 12, 14, 14, 12, 10, 8, 8, 8, 7, 7, 6),
)
_CITIZEN = (
    (14, 9, 7, 6, 6, 8, 16, 35, 75, 100, 100, 95, 80, 80, 95, 95, 90, 80, 65, 65, 70, 60, 40, 24),
    (16, 11, 8, 7, 6, 8, 14, 25, 45, 60, 65, 65, 60, 60, 65, 65, 62, 58, 55, 58, 62, 55, 42, 26),
)
_STEADY = ((100,) * 24, (100,) * 24)
_NIGHT = ((60, 100, 100, 100, 80, 40, 10) + (0,) * 15 + (20, 40), (60, 100, 100, 100, 80, 40, 10) + (0,) * 15 + (20, 40))

RHYTHMS: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "office": _OFFICE,
    "citizen": _CITIZEN,
    "steady": _STEADY,
    "night": _NIGHT,
}
"""Rhythm → percent awake by hour, on working days and at weekends."""


class Clock:
    """Seconds since ``start`` → how awake a rhythm is then (0 to 1)."""

    def __init__(self, start: datetime) -> None:
        local = start.astimezone(SHANGHAI)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        self._into_day = (local - midnight).total_seconds()
        self._weekday = local.weekday()

    def awake(self, rhythm: str, after: float) -> float:
        hours = int((self._into_day + after) // 3600)
        weekend = (self._weekday + hours // 24) % 7 >= 5
        return RHYTHMS[rhythm][weekend][hours % 24] / 100
