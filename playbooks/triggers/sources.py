"""Where triggers look: alerts, what happens to incidents, and what happens to warnings, each in the order of its numbers.

Recordings of alerts wait for each other, so no alert becomes visible after one with a higher number. Entries of the other two may:
a transaction that took its number first may end last. Before such a number is passed, ``settled_id`` waits for the transactions
that are writing.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from kernel.db import Database
from operations.alerts.models import Alert
from operations.incidents.models import TimelineEntry
from operations.warnings.models import WarningHistory

_IDS: dict[str, Any] = {
    "alert": Alert.id,
    "webhook": Alert.id,
    "incident": TimelineEntry.id,
    "warning": WarningHistory.id,
}
_UNORDERED: dict[str, str] = {"incident": TimelineEntry.__tablename__, "warning": WarningHistory.__tablename__}


def last_id(session: Session, kind: str) -> int:
    """The highest number that is there for triggers of this kind; 0 for none."""
    return int(session.execute(select(func.max(_IDS[kind]))).scalar_one_or_none() or 0) if kind in _IDS else 0


def settled_id(database: Database, kind: str) -> int:
    """The highest number below which nothing can appear any more."""
    if database.dialect == "postgresql" and kind in _UNORDERED:
        with database.write() as session:  # waits for who writes the table, and lets nobody begin meanwhile
            session.execute(text(f"LOCK TABLE {_UNORDERED[kind]} IN SHARE MODE"))
            return last_id(session, kind)
    with database.read() as session:
        return last_id(session, kind)
