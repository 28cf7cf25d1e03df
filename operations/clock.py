"""The present moment as @timestamp text, and arithmetic on such texts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from kernel.event import timestamp


def now() -> str:
    """The present moment."""
    return timestamp(datetime.now(UTC))


def moment(text: str) -> datetime:
    """The datetime of @timestamp text."""
    return datetime.fromisoformat(text)


def shift(text: str, seconds: float) -> str:
    """``text`` moved by ``seconds``; stays within the years 1 and 9999."""
    try:
        return timestamp(moment(text) + timedelta(seconds=seconds))
    except OverflowError:
        return "9999-12-31T23:59:59.999999Z" if seconds > 0 else "0001-01-01T00:00:00.000000Z"


def seconds_until(text: str, start: str) -> int:
    """Whole seconds from ``start`` to ``text``, at least 1 while ``text`` is later, else 0."""
    left = (moment(text) - moment(start)).total_seconds()
    return max(1, round(left)) if left > 0 else 0
