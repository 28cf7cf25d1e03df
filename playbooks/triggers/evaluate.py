"""What triggers do by themselves: ``fire_due``, called again and again by a role.

Each occasion counts once. A trigger remembers up to which number it has looked (``mark``), and that grows in the same transaction
in which the runs are asked for; each of these has a key made of trigger and occasion beside. Where nothing is new a call reads a
few numbers and writes nothing. A trigger that is switched off looks at nothing, and begins anew when it is switched on.
"""

from __future__ import annotations

import logging

import msgspec
from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.orm import Session

from kernel.db import Database
from kernel.errors import StoreError
from operations import clock
from playbooks.run.machine import Limits
from playbooks.triggers import sources
from playbooks.triggers.conditions import ScheduleCondition, kept_condition
from playbooks.triggers.firing import fire
from playbooks.triggers.models import PlaybookTrigger, TriggerFiring
from playbooks.triggers.schedule import next_due
from playbooks.triggers.schema import Found, Subject
from playbooks.triggers.subjects import News

log = logging.getLogger(__name__)
KEPT_SECONDS = Limits().run_ms // 1000 + 86_400
"""A firing is kept until no run of it can last any more."""
AT_ONCE = 20
"""Subjects in one transaction: some tens of milliseconds in which other writers wait."""
_ONE_AT_A_TIME = 0x74726967676572  # "trigger": names the lock of firings in PostgreSQL


class _Waiting(msgspec.Struct, frozen=True):
    """A trigger that has something to look at, as it was when that was found out."""

    id: int
    kind: str
    condition: str
    mark: int
    revision: int


def fire_due(database: Database, now: str | None = None) -> int:
    """Start what triggers start at ``now`` (@timestamp text; None = the present); returns how many runs. Raises StateUnavailable.

    What could not be looked at in one call, because there is much of it, is in the next.
    """
    present = now or clock.now()
    with database.read() as session:
        waiting = _waiting(session, present)
    if not waiting:
        return 0
    started, idle = 0, []
    for one, found in _look(database, waiting):
        if found.subjects or one.kind == "schedule":
            started += _go(database, one, found, present)
        else:
            idle.append((one, found.mark))
    _move_on(database, idle)
    return started


def _waiting(session: Session, present: str) -> list[_Waiting]:
    """Enabled triggers before which something lies, by what they look at."""
    columns = (PlaybookTrigger.id, PlaybookTrigger.kind, PlaybookTrigger.condition, PlaybookTrigger.mark, PlaybookTrigger.revision)
    due = or_(PlaybookTrigger.kind != "schedule", PlaybookTrigger.due_at <= present)
    enabled = [_Waiting(*row) for row in session.execute(select(*columns).where(PlaybookTrigger.enabled, due))]
    last = {kind: sources.last_id(session, kind) for kind in {one.kind for one in enabled}}
    return [one for one in enabled if one.kind == "schedule" or one.mark < last[one.kind]]


def _look(database: Database, waiting: list[_Waiting]) -> list[tuple[_Waiting, Found]]:
    until = {kind: sources.settled_id(database, kind) for kind in {one.kind for one in waiting}}
    with database.read() as session:
        news = News(session, until)
        return [(one, found) for one in waiting if (found := _look_for(news, one)) is not None]


def _look_for(news: News, one: _Waiting) -> Found | None:
    """What there is for one trigger; None where it cannot be read, which must not keep the others from starting."""
    try:
        return news.look(one.kind, kept_condition(one.kind, one.condition), one.mark)
    except (msgspec.MsgspecError, KeyError):
        log.exception("the condition of trigger %d cannot be read", one.id)
        return None


def _go(database: Database, one: _Waiting, found: Found, present: str) -> int:
    """Start what was found, a few subjects in one transaction with the mark that they lead to; others want to write, too."""
    started = 0
    parts = [found.subjects[place : place + AT_ONCE] for place in range(0, len(found.subjects), AT_ONCE)] or [[]]
    try:
        for part in parts:
            mark = found.mark if part is parts[-1] else part[-1].place
            more = _fire(database, one, part, mark, present)
            if more is None:
                break
            started, one = started + more, msgspec.structs.replace(one, mark=mark)
    except StoreError:
        raise
    except Exception:  # a mistake in one of them must not keep the others from starting; it is tried again
        log.exception("trigger %d could not be evaluated", one.id)
    return started


def _fire(database: Database, one: _Waiting, subjects: list[Subject], mark: int, present: str) -> int | None:
    """One transaction: how many runs were started; None where the trigger was changed, or somebody else looks, meanwhile."""
    with database.write() as session:
        _one_at_a_time(session)
        row = session.get(PlaybookTrigger, one.id, with_for_update=True, populate_existing=True)
        if row is None or not row.enabled or (row.revision, row.mark) != (one.revision, one.mark):
            return None
        chosen = _scheduled(row, present) if one.kind == "schedule" else subjects
        started = sum(fire(session, row, subject, present) for subject in chosen)
        row.mark = mark
        _forget(session, row, present)
        return started


def _scheduled(row: PlaybookTrigger, present: str) -> list[Subject]:
    """The moment that is due: once, however long nobody looked. Then the next one is waited for."""
    condition = kept_condition(row.kind, row.condition)
    if not isinstance(condition, ScheduleCondition) or not row.due_at or row.due_at > present:
        return []
    due, row.due_at = row.due_at, next_due(condition, present)
    return [Subject(kind="schedule", key=f"at:{due}", entity=f"trigger:{row.id}", due=due)]


def _move_on(database: Database, idle: list[tuple[_Waiting, int]]) -> None:
    """Remember how far those have looked for whom nothing was found."""
    if not idle:
        return
    with database.write() as session:
        for one, mark in idle:
            same = (PlaybookTrigger.id == one.id, PlaybookTrigger.revision == one.revision, PlaybookTrigger.mark == one.mark)
            session.execute(update(PlaybookTrigger).where(*same).values(mark=mark))


def _one_at_a_time(session: Session) -> None:
    """Firings wait for each other: two triggers of one playbook must not both find that it does not run for an entity yet."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(_ONE_AT_A_TIME)))


def _forget(session: Session, row: PlaybookTrigger, present: str) -> None:
    old = TriggerFiring.at < clock.shift(present, -KEPT_SECONDS)
    session.execute(delete(TriggerFiring).where(TriggerFiring.trigger_id == row.id, old))
