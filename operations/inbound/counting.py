"""Counters of what became of messages.

A refusal costs its sender nothing, so it must cost us little: the first is written at once, those that follow within a second wait
in memory and go with the next, or when somebody looks at the counters. A process that ends loses no more than those.
"""

from __future__ import annotations

import threading
import time
from collections import Counter

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from kernel.db import Database
from operations import clock
from operations.inbound.models import InboundCount
from operations.inbound.schema import Count

EVERY_SECONDS = 1.0


def add(session: Session, source_id: int, outcome: str, number: int = 1) -> None:
    """Count in the caller's transaction; nothing where the source is gone."""
    where = (InboundCount.source_id == source_id, InboundCount.outcome == outcome)
    session.execute(update(InboundCount).where(*where).values(number=InboundCount.number + number, last_at=clock.now()))


def of(session: Session, source_ids: list[int]) -> dict[int, list[Count]]:
    """The counters of sources."""
    found: dict[int, list[Count]] = {source_id: [] for source_id in source_ids}
    query = select(InboundCount.source_id, InboundCount.outcome, InboundCount.number, InboundCount.last_at)
    for source_id, outcome, number, last_at in session.execute(query.where(InboundCount.source_id.in_(source_ids))):
        found[source_id].append(Count(outcome, number, last_at))
    return found


class Refusals:
    """Refusals that wait to be written. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: Counter[tuple[int, str]] = Counter()
        self._written = float("-inf")

    def add(self, database: Database, source_id: int, reason: str) -> None:
        """Count one refusal."""
        with self._lock:
            self._waiting[source_id, reason] += 1
            if time.monotonic() - self._written < EVERY_SECONDS:
                return
        self.write(database)

    def write(self, database: Database) -> None:
        """Write down what waits. Raises StateUnavailable; then it waits on."""
        with self._lock:
            taken, self._waiting = self._waiting, Counter()
            self._written = time.monotonic()
        if not taken:
            return
        try:
            with database.write() as session:
                for (source_id, reason), number in sorted(taken.items()):
                    add(session, source_id, reason, number)
        except BaseException:
            with self._lock:
                self._waiting.update(taken)
            raise
