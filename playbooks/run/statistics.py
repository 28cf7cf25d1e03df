"""How runs of a playbook have gone lately: how many, how many well, how long. Only its last runs are read."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from operations import clock
from playbooks.run.models import PlaybookRun

MOST_RUNS = 500
"""Of each playbook: the last ones."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """The last runs of a playbook. ``runs`` of at most MOST_RUNS; ``seconds``: the median of the finished ones, None = there is
    none."""

    runs: int = 0
    finished: int = 0
    failed: int = 0
    seconds: float | None = None

    @property
    def success(self) -> float | None:
        """Share of those that are over and were not called off which finished, None = there is none."""
        over = self.finished + self.failed
        return self.finished / over if over else None


def records(session: Session, playbook_ids: Iterable[str], since: str) -> dict[str, Record]:
    """For each playbook its runs that were asked for after ``since``."""
    return {playbook_id: _record(session, playbook_id, since) for playbook_id in playbook_ids}


def _record(session: Session, playbook_id: str, since: str) -> Record:
    query = (
        select(PlaybookRun.state, PlaybookRun.created_at, PlaybookRun.started_at, PlaybookRun.ended_at)
        .where(PlaybookRun.playbook_id == playbook_id, PlaybookRun.created_at > since)
        .order_by(PlaybookRun.id.desc())
        .limit(MOST_RUNS)
    )
    rows = session.execute(query).all()
    lasted = [_seconds(started or created, ended) for state, created, started, ended in rows if state == "finished" and ended]
    return Record(
        runs=len(rows),
        finished=_of(rows, "finished", "undone"),
        failed=_of(rows, "failed"),
        seconds=statistics.median(lasted) if lasted else None,
    )


def _of(rows: Sequence[Sequence[object]], *states: str) -> int:
    return sum(row[0] in states for row in rows)


def _seconds(start: str, end: str) -> float:
    return (clock.moment(end) - clock.moment(start)).total_seconds()
