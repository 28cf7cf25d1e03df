"""Deadlines and validity of applications: pure arithmetic on @timestamp texts."""

from __future__ import annotations

from operations import clock

HOUR, DAY = 3600, 86_400


def due(start: str, hours: int) -> str:
    """By when something has to be done that may take ``hours`` (24 a day: the periods are no working hours)."""
    return clock.shift(start, hours * HOUR)


def ends(start: str, days: int) -> str:
    """When a grant of ``days`` ends."""
    return clock.shift(start, days * DAY)


def renewed(now: str, end: str | None, days: int) -> str:
    """When a renewed grant ends: ``days`` after the old end while that is ahead, else after ``now``."""
    return ends(end if end is not None and end > now else now, days)


def overdue(state: str, now: str, accept_due: str, issue_due: str | None) -> bool:
    """Was the period of the step that is due exceeded?"""
    if state == "applied":
        return accept_due < now
    return state in ("accepted", "to_confirm") and issue_due is not None and issue_due < now
