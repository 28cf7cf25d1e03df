"""What is new for triggers: looked up once for all that have looked equally far, and told apart by their conditions.

Nothing is started here, and nothing written.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from playbooks.triggers.alert_subjects import alerts_that_fit, new_alerts
from playbooks.triggers.conditions import (
    AlertCondition,
    Condition,
    IncidentCondition,
    WarningCondition,
    WebhookCondition,
)
from playbooks.triggers.incident_subjects import incidents_that_fit, new_entries
from playbooks.triggers.schema import Found
from playbooks.triggers.warning_subjects import new_acts, warnings_that_fit

BATCH = 1_000
"""Rows of a source that are looked at in one round."""


class News:
    """What came up to a number of each source, as one moment shows it."""

    def __init__(self, session: Session, until: dict[str, int]) -> None:
        """``until``: kind of trigger → the highest number that counts (sources.settled_id)."""
        self._session = session
        self._until = until
        self._rows: dict[tuple[str, int], Sequence[Any]] = {}

    def look(self, kind: str, condition: Condition, mark: int) -> Found:
        """What came after ``mark`` and meets ``condition``; at most BATCH rows are looked at."""
        until = self._until.get(kind, mark)
        match condition:
            case AlertCondition() | WebhookCondition():
                rows = self._new("alert", mark, until)
                subjects = alerts_that_fit(self._session, rows, condition)
            case IncidentCondition():
                rows = self._new("incident", mark, until)
                subjects = incidents_that_fit(rows, condition)
            case WarningCondition():
                rows = self._new("warning", mark, until)
                subjects = warnings_that_fit(rows, condition)
            case _:
                return Found([], mark)
        return Found(subjects, rows[-1][0] if len(rows) == BATCH else max(mark, until))

    def _new(self, source: str, mark: int, until: int) -> Sequence[Any]:
        """Rows after ``mark``; the first column is the number."""
        found = self._rows.get((source, mark))
        if found is None:
            asked = {"alert": new_alerts, "incident": new_entries, "warning": new_acts}[source]
            found = self._rows[source, mark] = asked(self._session, mark, until, BATCH)
        return found
