"""What is in force, published for the workers whenever it has changed (kernel.indicators)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kernel.db import Database
from kernel.indicators.index import Indicator, write_index
from operations import clock
from operations.indicators.models import IndicatorRow

SETTLED_SECONDS = 2.0
LATEST_SECONDS = 60.0
"""While an import runs, the file is written once in this time: a million values take seconds."""


def revision(session: Session) -> str:
    """It differs where the table does."""
    last, newest = session.execute(select(func.max(IndicatorRow.changed_at), func.max(IndicatorRow.id))).one()
    return f"{last}~{newest}" if last else ""


def in_force(session: Session) -> Iterator[Indicator]:
    """All that hold now; of one value the surest comes last."""
    query = (
        select(IndicatorRow)
        .where(IndicatorRow.revoked_at == "", IndicatorRow.valid_until > clock.now())
        .order_by(IndicatorRow.confidence, IndicatorRow.id)
        .execution_options(yield_per=2000)
    )
    for row in session.execute(query).scalars():
        about = (row.origin, row.tlp, row.note, row.reference, row.valid_until)
        yield Indicator(row.id, row.kind, row.value, row.confidence, *about)
        session.expunge(row)


class IndicatorPublisher:
    """Call it often: the file is written only when something changed, and not in the middle of an import."""

    def __init__(self, database: Database, path: Path, now: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._path = path
        self._now = now
        self._written = self._seen = ""
        self._seen_at = self._changed_since = 0.0

    def __call__(self) -> None:
        """Raises OSError where the file cannot be written, and what the database raises."""
        with self._database.read() as session:
            found = revision(session)
            if found == self._written and (self._path.exists() or not found):
                return
            now = self._now()
            if found != self._seen:
                self._changed_since = self._changed_since or now
                self._seen, self._seen_at = found, now
            if now - self._seen_at < SETTLED_SECONDS and now - self._changed_since < LATEST_SECONDS:
                return
            write_index(self._path, found, in_force(session))
        self._written, self._changed_since = found, 0.0
