"""The measures in force, published for the workers whenever they have changed."""

from __future__ import annotations

from pathlib import Path

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from crypto.sm3 import sm3
from kernel.db import Database
from kernel.rule_tuning.snapshot import Measure, Snapshot, write_snapshot
from operations.tuning.measures import record_of
from operations.tuning.models import RuleMeasure


def snapshot(session: Session) -> Snapshot:
    """Everything that is in force."""
    query = select(RuleMeasure).where(RuleMeasure.state == "active").order_by(RuleMeasure.id)
    measures = []
    for row in session.execute(query).scalars():
        found = record_of(row)
        decided = (found.decided_by or found.proposed_by, found.reason, found.decided_at or "")
        measures.append(Measure(found.id, found.rule_id, found.conditions, found.expires_at or "", *decided))
    return Snapshot(sm3(msgspec.msgpack.encode(measures)).hex()[:16], measures)


class TuningPublisher:
    """Call it often: the file is written only when something changed."""

    def __init__(self, database: Database, path: Path) -> None:
        self._database = database
        self._path = path
        self._written = ""

    def __call__(self) -> None:
        """Raises OSError where the file cannot be written, and what the database raises."""
        with self._database.read() as session:
            found = snapshot(session)
        if found.revision != self._written or not self._path.exists():
            write_snapshot(found, self._path)
            self._written = found.revision
