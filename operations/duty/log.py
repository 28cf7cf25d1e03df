"""The shift log: what happened on duty, line by line; nobody changes a line."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from operations import clock
from operations.accounts.schema import Principal
from operations.audit import service as audit
from operations.duty.models import LogEntry
from operations.duty.schema import LogPage, LogRecord
from operations.errors import Invalid
from operations.written import choice, text

KINDS: tuple[str, ...] = ("note", "call", "check", "handover", "escalation")
WRITTEN = ("note", "call", "check")
"""What people write; the others come from their acts."""

MAX_TEXT = 4000
MAX_PAGE = 200


def write(session: Session, who: Principal, kind: str, written: str) -> LogRecord:
    """A line. Raises Invalid."""
    row = note(session, who, choice(kind, "kind", WRITTEN), text(written, "text", MAX_TEXT, needed=True))
    audit.append(session, who.actor, "duty.log", "duty", row.id, detail={"kind": kind, "characters": len(row.text)})
    return _record(row)


def note(session: Session, who: Principal, kind: str, written: str) -> LogEntry:
    """The line that an act of this room leaves; the act itself is audited."""
    row = LogEntry(time=clock.now(), actor=who.actor.name[:160], kind=kind, text=written)
    session.add(row)
    session.flush()
    return row


def list_log(session: Session, *, limit: int = 50, cursor: str = "") -> LogPage:
    """Newest first. Raises Invalid for a cursor that is none."""
    limit = max(1, min(limit, MAX_PAGE))
    query = select(LogEntry).order_by(LogEntry.id.desc()).limit(limit + 1)
    if cursor:
        if not cursor.isascii() or not cursor.isdecimal() or len(cursor) > 18:
            raise Invalid("the page cursor cannot be read", "start again from the first page", field="cursor")
        query = query.where(LogEntry.id < int(cursor))
    rows = session.scalars(query).all()
    return LogPage([_record(row) for row in rows[:limit]], str(rows[limit - 1].id) if len(rows) > limit else "")


def _record(row: LogEntry) -> LogRecord:
    return LogRecord(row.id, row.time, row.actor, row.kind, row.text)
