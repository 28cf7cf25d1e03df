"""The archive: lists, one report, downloads, and removal by age. A scope sees the reports of its own organisations only."""

from __future__ import annotations

import re
from datetime import date

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from crypto.sm3 import sm3
from operations import clock
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.errors import Conflict, Invalid, NotFound
from operations.organisations import organisations_seen
from operations.reports.models import OperationsReport
from operations.reports.periods import Period
from operations.reports.schema import ReportFilter, ReportPage, ReportRecord
from operations.reports.signing import digests, octets_of

FORMATS: tuple[str, ...] = ("pdf", "docx", "xlsx")
MAX_PAGE = 200
KEEP_DAYS = 1_095
"""Three years. Reports are removed by age alone."""
_CURSOR = re.compile(r"[0-9]{1,18}")


def visible(session: Session) -> list[ColumnElement[bool]]:
    """Condition on OperationsReport."""
    ours = organisations_seen(session)
    return [] if ours is None else [OperationsReport.organisation.in_(sorted(ours))]


def list_reports(session: Session, where: ReportFilter = ReportFilter(), *, limit: int = 50, cursor: str = "") -> ReportPage:
    """One page, newest first. Raises Invalid for a cursor that is none."""
    limit = max(1, min(limit, MAX_PAGE))
    one = OperationsReport
    query = select(one).where(*visible(session))
    if where.organisation != "*":
        query = query.where(one.organisation == where.organisation)
    for column, value in ((one.kind, where.kind), (one.origin, where.origin)):
        if value:
            query = query.where(column == value)
    if where.start:
        query = query.where(one.issued_at >= where.start)
    if where.end:
        query = query.where(one.issued_at < where.end)
    if cursor:
        if not _CURSOR.fullmatch(cursor):
            raise Invalid("the page cursor cannot be read", "start again from the first page", field="cursor")
        query = query.where(one.id < int(cursor))
    rows = list(session.execute(query.order_by(one.id.desc()).limit(limit + 1)).scalars())
    last = str(rows[limit - 1].id) if len(rows) > limit else ""
    return ReportPage([record_of(row) for row in rows[:limit]], last, _hidden(session))


def find(session: Session, report_id: int) -> OperationsReport:
    """The row. Raises NotFound, also where the session may not see it."""
    query = select(OperationsReport).where(OperationsReport.id == report_id, *visible(session))
    row = session.execute(query).scalar_one_or_none()
    if row is None:
        raise NotFound(f"there is no report {report_id}")
    return row


def read_file(session: Session, actor: Actor, report_id: int, format_: str) -> tuple[ReportRecord, bytes]:
    """The file as it was issued; reading it is audited. Raises NotFound, and Conflict where it is not what was signed."""
    row = find(session, report_id)
    if format_ not in FORMATS:
        raise NotFound(f"a report has no form {format_[:8]!r}")
    octets = octets_of(row, format_)
    if sm3(octets).hex() != digests(row.manifest)[format_]:
        raise Conflict(f"report {report_id} is not what was issued: its SM3 differs", "take it from a backup")
    audit.append(session, actor, "report.read", "report", report_id, detail={"format": format_})
    return record_of(row), octets


def remove_old(session: Session, actor: Actor, days: int = KEEP_DAYS) -> int:
    """Remove what was issued more than ``days`` ago, each with an audit entry. That they were made by schedule stays known."""
    if days < 365:
        raise Invalid("reports are kept for a year at least", field="days")
    before = clock.shift(clock.now(), -86_400 * days)
    rows = session.execute(select(OperationsReport).where(OperationsReport.issued_at < before).limit(1000)).scalars().all()
    for row in rows:
        detail = {"name": record_of(row).name, "issued_at": row.issued_at, "signature": row.signature}
        audit.append(session, actor, "report.remove", "report", row.id, detail=detail)
        session.execute(delete(OperationsReport).where(OperationsReport.id == row.id))
    return len(rows)


def record_of(row: OperationsReport) -> ReportRecord:
    """As shown in a list."""
    period = Period(row.kind, date.fromisoformat(row.first_day)).label
    names = ("id", "kind", "first_day", "organisation", "language", "origin", "issued_at", "issued_by")
    given = {name: getattr(row, name) for name in names}
    return ReportRecord(name=f"report-{row.kind}-{row.first_day}-{row.id}", period=period, sm3=digests(row.manifest), **given)


def _hidden(session: Session) -> int:
    seen = visible(session)
    if not seen:
        return 0
    every = select(func.count()).select_from(OperationsReport)
    return session.execute(every).scalar_one() - session.execute(every.where(*seen)).scalar_one()
