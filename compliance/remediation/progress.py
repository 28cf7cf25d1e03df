"""Plan and progress as numbers for a chart: by month what was opened, closed, is open and overdue; what falls due when, and whose.

Months are those of UTC, as all stored moments are. A waiver takes a finding out of the overdue ones only as of now: what was
waived in an earlier month is not kept.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, String, func, literal_column, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from compliance.remediation.models import STATES, FindingRow
from compliance.remediation.schema import Month, PlanLine, Progress
from compliance.remediation.service import WAIVED
from compliance.systems import rows
from operations import clock
from operations.tickets.models import Ticket

MOST_MONTHS = 36


def progress(session: Session, system_id: int, months: int = 12) -> Progress:
    """The last ``months`` (1 to 36), the present one last. Raises NotFound."""
    rows.find_system(session, system_id)
    now = clock.now()
    names = _months(now, max(1, min(months, MOST_MONTHS)))
    return Progress(_counted(session, system_id, names, now), _plan(session, system_id), _states(session, system_id, now))


def _counted(session: Session, system_id: int, names: list[str], now: str) -> list[Month]:
    mine = FindingRow.system_id == system_id
    opened_in, closed_in = _month(FindingRow.opened_at), _month(FindingRow.closed_at)
    opened_rows = select(opened_in, func.count()).where(mine).group_by(opened_in)
    opened = {row[0]: row[1] for row in session.execute(opened_rows)}
    closed_rows = select(closed_in, func.count()).where(mine, FindingRow.closed_at != "").group_by(closed_in)
    closed = {row[0]: row[1] for row in session.execute(closed_rows)}
    due_in = _month(FindingRow.due_at)
    due = {row[0]: row[1] for row in session.execute(select(due_in, func.count()).where(mine).group_by(due_in))}
    found = []
    for name in names:
        end = min(_after(name), now)
        there = (mine, FindingRow.opened_at <= end, (FindingRow.closed_at == "") | (FindingRow.closed_at > end))
        late = [*there, FindingRow.due_at > "", FindingRow.due_at < end]
        if end == now:
            late.append(FindingRow.waived_until <= now)
        count = select(func.count()).select_from(FindingRow)
        is_open, overdue = (session.execute(count.where(*which)).scalar_one() for which in (there, late))
        found.append(Month(name, opened.get(name, 0), closed.get(name, 0), is_open, overdue, due.get(name, 0)))
    return found


def _plan(session: Session, system_id: int) -> list[PlanLine]:
    due, bureau = _month(FindingRow.due_at), func.coalesce(Ticket.bureau, literal_column("''", String))
    query = (
        select(due, bureau, func.count())
        .select_from(FindingRow)
        .outerjoin(Ticket, Ticket.id == FindingRow.ticket_id)
        .where(FindingRow.system_id == system_id, FindingRow.closed_at == "")
        .group_by(due, bureau)
        .order_by(due, bureau)
    )
    return [PlanLine(month, owner, number) for month, owner, number in session.execute(query)]


def _states(session: Session, system_id: int, now: str) -> dict[str, int]:
    found = dict.fromkeys((*STATES, WAIVED), 0)
    mine = select(FindingRow.state, func.count()).where(FindingRow.system_id == system_id).group_by(FindingRow.state)
    waived = (FindingRow.waived_until > now) & (FindingRow.closed_at == "")
    for state, number in session.execute(mine.where(~waived)):
        found[state] += number
    found[WAIVED] = sum(number for _, number in session.execute(mine.where(waived)))
    return found


def _month(column: InstrumentedAttribute[str]) -> ColumnElement[str]:
    """``2026-11``. Written out: PostgreSQL does not know two parameters in SELECT and GROUP BY as the same."""
    return func.substr(column, literal_column("1"), literal_column("7"))


def _months(now: str, number: int) -> list[str]:
    year, month = int(now[:4]), int(now[5:7])
    found = []
    for _ in range(number):
        found.append(f"{year:04}-{month:02}")
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
    return found[::-1]


def _after(month: str) -> str:
    """The first moment after it."""
    year, number = int(month[:4]), int(month[5:7])
    return f"{year + number // 12:04}-{number % 12 + 1:02}-01T00:00:00.000000Z"
