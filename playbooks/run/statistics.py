"""How runs have gone lately: how many, how many well, how long. Of each playbook only the last runs are read."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kernel.event import SHANGHAI
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


class Day(msgspec.Struct, frozen=True):
    """Runs that were asked for on a day of Asia/Shanghai: ``date`` 2026-11-27; ``others`` are not over, or were called off."""

    date: str
    finished: int
    failed: int
    others: int


def days(session: Session, since: str) -> list[Day]:
    """Days after ``since`` that had runs, the oldest first. Counted by the hour, so that a day is one of Shanghai."""
    hour = func.substr(PlaybookRun.created_at, 1, 13)
    query = select(hour, PlaybookRun.state, func.count()).where(PlaybookRun.created_at > since)
    counted: Counter[tuple[str, str]] = Counter()
    dates: dict[str, str] = {}
    for at, state, number in session.execute(query.group_by(hour, PlaybookRun.state)):
        if at not in dates:
            dates[at] = f"{datetime.fromisoformat(f'{at}:00:00+00:00').astimezone(SHANGHAI):%Y-%m-%d}"
        counted[dates[at], _fate(state)] += number
    return [
        Day(date, *(counted[date, fate] for fate in ("finished", "failed", "others")))
        for date in sorted({day for day, _ in counted})
    ]


def busiest(session: Session, since: str, limit: int = 50) -> dict[str, int]:
    """Runs after ``since`` by playbook, the most first."""
    number = func.count()
    query = select(PlaybookRun.playbook_id, number).where(PlaybookRun.id >= _first_since(session, since))
    found = session.execute(query.group_by(PlaybookRun.playbook_id).order_by(number.desc(), PlaybookRun.playbook_id).limit(limit))
    return {str(playbook_id): int(runs) for playbook_id, runs in found}


def _first_since(session: Session, since: str) -> int:
    """The first run after ``since``. Ids grow with time, so the middle is asked again and again: playbooks are counted by
    an index that has ids only."""
    low, high = session.execute(select(func.min(PlaybookRun.id), func.max(PlaybookRun.id))).one()
    if low is None:
        return 0
    while low <= high:
        middle = (low + high) // 2
        query = select(PlaybookRun.id, PlaybookRun.created_at).where(PlaybookRun.id >= middle).order_by(PlaybookRun.id).limit(1)
        run_id, created_at = session.execute(query).one()
        low, high = (run_id + 1, high) if created_at <= since else (low, middle - 1)
    return int(low)


def _fate(state: str) -> str:
    return {"finished": "finished", "undone": "finished", "failed": "failed"}.get(state, "others")


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
