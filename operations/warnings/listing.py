"""The board: filtered, keyset-paged; progress and lateness counted for the rows of the page only."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlalchemy import case, exists, func, or_, select
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from kernel.db.containing import containing
from operations import clock
from operations.accounts.schema import Principal
from operations.errors import Invalid
from operations.reach import organisations_seen, zones_seen
from operations.warnings.models import WarningReceipt, WarningRow, WarningZone
from operations.warnings.rows import record_of, within
from operations.warnings.schema import PUBLIC, Board, BoardFilter, BoardRow, Progress, Waiting

MAX_PAGE = 200
_CURSOR = re.compile(r"[0-9]{1,18}")


def board(
    session: Session, where: BoardFilter = BoardFilter(), *, limit: int = 50, cursor: str = "", oldest_first: bool = False
) -> Board:
    """One page. Raises Invalid for a cursor that is none."""
    limit = max(1, min(limit, MAX_PAGE))
    query = select(WarningRow).where(*within(session), *_conditions(session, where)).limit(limit + 1)
    query = query.order_by(WarningRow.id if oldest_first else WarningRow.id.desc())
    if cursor:
        if not _CURSOR.fullmatch(cursor):
            raise Invalid("the page cursor cannot be read", "start again from the first page", field="cursor")
        query = query.where(WarningRow.id > int(cursor) if oldest_first else WarningRow.id < int(cursor))
    rows = list(session.execute(query).scalars())
    more = len(rows) > limit
    known = progress(session, [row.id for row in rows[:limit]])
    made = [BoardRow(record_of(session, row), known.get(row.id, Progress())) for row in rows[:limit]]
    return Board(made, str(rows[limit - 1].id) if more else "", hidden(session))


def counts(session: Session) -> dict[str, int]:
    """How many warnings are in each state."""
    query = select(WarningRow.status, func.count()).where(*within(session)).group_by(WarningRow.status)
    return {row[0]: row[1] for row in session.execute(query)}


def hidden(session: Session) -> int:
    """Published warnings that this session may not see."""
    if zones_seen(session) is None:
        return 0
    every = session.execute(select(func.count()).select_from(WarningRow).where(WarningRow.status.in_(PUBLIC))).scalar_one()
    seen = session.execute(select(func.count()).select_from(WarningRow).where(*within(session))).scalar_one()
    return every - seen


def progress(session: Session, ids: Sequence[int]) -> dict[int, Progress]:
    """Of the last editions; for a session with a scope of its own organisations only."""
    if not ids:
        return {}
    late = _late(clock.now())
    query = (
        select(
            WarningReceipt.warning_id,
            func.count(),
            func.count(WarningReceipt.received_at),
            func.count(WarningReceipt.feedback_at),
            func.sum(case(((WarningRow.status == "published") & late, 1), else_=0)),
        )
        .join(WarningRow, (WarningReceipt.warning_id == WarningRow.id) & (WarningReceipt.edition == WarningRow.edition))
        .where(WarningRow.id.in_(ids), *mine(session))
        .group_by(WarningReceipt.warning_id)
    )
    return {row[0]: Progress(row[1], row[2], row[3], int(row[4] or 0)) for row in session.execute(query)}


def mine(session: Session) -> list[ColumnElement[bool]]:
    """Only receipts of organisations that this session may see."""
    if zones_seen(session) is None:
        return []
    return [WarningReceipt.organisation.in_(sorted(organisations_seen(session)))]


def waiting(session: Session, who: Principal) -> Waiting:
    """What waits for this person."""
    sign = answer = 0
    own = sorted(organisations_seen(session))
    if who.may("warnings.receive") and own:
        query = (
            select(func.sum(case((WarningReceipt.received_at.is_(None), 1), else_=0)), func.count())
            .join(WarningRow, (WarningReceipt.warning_id == WarningRow.id) & (WarningReceipt.edition == WarningRow.edition))
            .where(WarningRow.status == "published", WarningReceipt.organisation.in_(own), WarningReceipt.feedback_at.is_(None))
        )
        unsigned, unanswered = session.execute(query).one()
        sign, answer = int(unsigned or 0), unanswered - int(unsigned or 0)
    return Waiting(
        sign,
        answer,
        _in(session, "submitted") if who.may("warnings.approve") else 0,
        _in(session, "approved") if who.may("warnings.publish") else 0,
    )


def _in(session: Session, status: str) -> int:
    query = select(func.count()).select_from(WarningRow).where(WarningRow.status == status, *within(session))
    return session.execute(query).scalar_one()


def _conditions(session: Session, where: BoardFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    for column, values in ((WarningRow.status, where.status), (WarningRow.level, where.level), (WarningRow.source, where.source)):
        if values:
            found.append(column.in_(values))
    here = (WarningReceipt.warning_id == WarningRow.id, WarningReceipt.edition == WarningRow.edition, *mine(session))
    if where.organisation:
        found.append(exists().where(*here, WarningReceipt.organisation == where.organisation))
    if where.zone:
        zones = zones_seen(session)
        visible = zones is None or where.zone in zones
        found.append(exists().where(WarningZone.warning_id == WarningRow.id, WarningZone.zone == (where.zone if visible else "")))
    if where.overdue:
        found += [WarningRow.status == "published", exists().where(*here, _late(clock.now()))]
    if where.mine:
        own = WarningReceipt.organisation.in_(sorted(organisations_seen(session)))
        found += [WarningRow.status == "published", exists().where(*here, own, WarningReceipt.feedback_at.is_(None))]
    for word in where.text.split()[:8]:
        columns = (WarningRow.title, WarningRow.threat, WarningRow.objects)
        found.append(or_(*(containing(session, column, word) for column in columns)))
    return found


def _late(present: str) -> ColumnElement[bool]:
    return or_(
        WarningReceipt.received_at.is_(None) & (WarningReceipt.receipt_due < present),
        WarningReceipt.feedback_at.is_(None) & (WarningReceipt.feedback_due < present),
    )
