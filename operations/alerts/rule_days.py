"""Alerts per rule and day by what became of them, and how long they were open, kept in the transaction that changes the alerts.

Summing a quarter of a year over a million alerts takes seconds; over these rows (rules × days × outcomes) it takes milliseconds.
The time to close is kept in steps of half an octave, so that a median is known to about a fifth without a row per alert.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from kernel.db.batch import add_up
from operations import clock
from operations.alerts.models import RuleClosing, RuleDay

OPEN = "open"
KEPT_DAYS = 200
_MOST_STEP = 60


def step_of(seconds: float) -> int:
    """The step that a time to close falls into; the shortest is one second."""
    return min(_MOST_STEP, round(2 * math.log2(max(1.0, seconds))))


def seconds_of(step: int) -> float:
    """The middle of a step, in seconds."""
    return float(2 ** (step / 2))


class DayDeltas:
    """Changes to the counts of one transaction, written once at its end."""

    def __init__(self) -> None:
        self._days: dict[tuple[str, str, str], int] = {}
        self._closings: dict[tuple[str, str, int], int] = {}

    def add(self, alert: Mapping[str, Any], step: int = 1) -> None:
        """Count an alert (columns as in models.Alert) in, or out with ``step`` -1."""
        rule, day, closed_at = alert["rule_id"], alert["created_at"][:10], alert["closed_at"]
        outcome = alert["verdict"] or OPEN
        self._days[rule, outcome, day] = self._days.get((rule, outcome, day), 0) + step
        if closed_at:
            open_for = (clock.moment(closed_at) - clock.moment(alert["created_at"])).total_seconds()
            key = (rule, day, step_of(open_for))
            self._closings[key] = self._closings.get(key, 0) + step

    def write(self, session: Session) -> None:
        """Add the changes to the tables; sorted, so that parallel writers lock rows in one order."""
        _write(session, RuleDay, ("rule_id", "outcome", "day"), self._days)
        _write(session, RuleClosing, ("rule_id", "day", "step"), self._closings)


def _write(session: Session, table: Any, key: tuple[str, ...], changes: Mapping[tuple[Any, ...], int]) -> None:
    rows = [(*values, step) for values, step in sorted(changes.items()) if step]
    add_up(session.connection(), table.__table__, key, ("alerts",), rows)


def remove_old(session: Session) -> int:
    """Take away days that no figure looks at any more; for the scheduler. Returns the number of rows."""
    last = clock.shift(clock.now(), -KEPT_DAYS * 86_400)[:10]
    return sum(
        int(session.connection().execute(delete(table).where(table.day < last)).rowcount) for table in (RuleDay, RuleClosing)
    )
