"""Reports by schedule. The newest period whose report is due is made once; a run missed while the platform was down is made up."""

from __future__ import annotations

import logging

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kernel.db import Database
from operations import clock
from operations.audit import service as audit
from operations.audit.models import AuditEntry
from operations.audit.schema import SYSTEM, Actor
from operations.errors import Conflict, Denied, Invalid, NotFound, Stale
from operations.organisations import owners
from operations.reach import zones_seen
from operations.reports.making import LANGUAGES, Means, made_already, make
from operations.reports.models import ReportSchedule
from operations.reports.periods import KINDS, Period, due_at, holding, last_complete
from operations.reports.schema import ScheduleRecord

DAY_MINUTES = 24 * 60
log = logging.getLogger("liandun.reports")


def list_schedules(session: Session) -> list[ScheduleRecord]:
    """Daily, weekly, monthly."""
    rows = {row.kind: row for row in session.execute(select(ReportSchedule)).scalars()}
    return [_record(rows[kind]) for kind in KINDS if kind in rows]


def get_schedule(session: Session, kind: str) -> ScheduleRecord:
    """Raises NotFound."""
    return _record(_find(session, kind))


def set_schedule(
    session: Session,
    actor: Actor,
    kind: str,
    *,
    enabled: bool,
    minute: int,
    each: bool,
    language: str,
    expected_version: int | None = None,
) -> ScheduleRecord:
    """Change when reports are made. Raises NotFound, Invalid, Denied (a scope), Stale. ``expected_version`` None = in any case."""
    if zones_seen(session) is not None:
        raise Denied("schedules are those of the whole city; an account with a scope does not set them")
    row = _find(session, kind)
    if expected_version not in (None, row.version):
        raise Stale("this schedule was changed by somebody else", "reload it and decide again")
    if not 0 <= minute < DAY_MINUTES:
        raise Invalid("a time of the day", field="minute")
    if language not in LANGUAGES:
        raise Invalid(f"there is no language {language[:8]!r}", "zh or en", field="language")
    names = ("enabled", "minute", "each", "language")
    before = {name: getattr(row, name) for name in names}
    row.enabled, row.minute, row.each, row.language = enabled, minute, each, language
    row.changed_at, row.changed_by, row.version = clock.now(), actor.name[:160], row.version + 1
    detail = {"before": before, "after": {name: getattr(row, name) for name in names}}
    audit.append(session, actor, "report.schedule", "report_schedule", kind, detail=detail)
    session.flush()
    return _record(row)


def newest_due(kind: str, minute: int, now: str) -> Period:
    """The newest period whose report is due."""
    period = last_complete(kind, now)
    return period if due_at(period, minute) <= now else period.before


def run_due(database: Database, means: Means) -> int:
    """Make what is due and was not made; returns how many. Two schedulers do no harm.

    A period that was over before the platform began has nothing to tell.
    """
    now, made = clock.now(), 0
    with database.read() as session:
        began = session.execute(select(func.min(AuditEntry.time))).scalar_one() or now
        wanted = [
            (row.kind, period, organisation, row.language)
            for row in session.execute(select(ReportSchedule).where(ReportSchedule.enabled)).scalars()
            for period in [newest_due(row.kind, row.minute, now)]
            if period.bounds[1] > began
            for organisation in ["", *(sorted(owners(session)) if row.each else ())]
            if not made_already(session, period, organisation)
        ]
    for kind, period, organisation, language in wanted:
        try:
            make(database, means, SYSTEM, kind, period.first, organisation=organisation, language=language, scheduled=True)
            made += 1
        except Conflict as error:
            if means.master is None:
                raise
            log.info("%s report of %s: %s", kind, period.first, error)
    return made


def _find(session: Session, kind: str) -> ReportSchedule:
    query = select(ReportSchedule).where(ReportSchedule.kind == kind[:16]).with_for_update()
    row = session.execute(query).scalar_one_or_none()
    if row is None:
        raise NotFound(f"there is no schedule {kind[:16]!r}")
    return row


def _record(row: ReportSchedule) -> ScheduleRecord:
    now = clock.now()
    period = newest_due(row.kind, row.minute, now)
    following = holding(row.kind, period.end)
    given = {name: getattr(row, name) for name in ScheduleRecord.__struct_fields__ if name != "next_due"}
    return ScheduleRecord(**given, next_due=due_at(following, row.minute) if row.enabled else "")
