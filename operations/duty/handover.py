"""Hand-over (交接班): who leaves writes the note, who comes takes it over. Both numbers of open matters are kept."""

from __future__ import annotations

import msgspec
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from operations import clock
from operations.accounts.schema import Principal
from operations.audit import service as audit
from operations.duty import log
from operations.duty.models import Handover, RosterEntry
from operations.duty.open_matters import counts
from operations.duty.schema import HandoverRecord
from operations.duty.turn import take_turn
from operations.errors import Conflict, Denied, Invalid, NotFound
from operations.webhooks.outbox import announce
from operations.written import text

MAX_NOTE = 10_000
LATE = 6 * 3600
"""Seconds after its end in which a shift is still handed over."""
EARLY = 3600
"""Seconds before it begins in which the coming shift may take over."""


def leaving(session: Session, name: str) -> RosterEntry | None:
    """The place that this person hands over: the one they are on, or that ended within LATE, without an accepted note."""
    now = clock.now()
    query = select(RosterEntry).where(
        RosterEntry.name == name, RosterEntry.start_at <= now, RosterEntry.end_at > clock.shift(now, -LATE)
    )
    for row in session.scalars(query.order_by(RosterEntry.start_at)):
        done = session.scalar(select(Handover).where(Handover.day == row.day, Handover.shift == row.shift))
        if done is None or done.accepted_at is None:
            return row
    return None


def write(session: Session, who: Principal, note: str, *, expected_version: int | None = None) -> HandoverRecord:
    """Write the note of the shift that leaves, or change it while nobody took it over.

    expected_version  of the note that is there, 0 = there was none. Raises Denied, Invalid, Conflict.
    """
    take_turn(session)
    place = leaving(session, who.name)
    if place is None:
        raise Denied("you are not on duty, and were not within the last hours", "the roster says who is")
    written = text(note, "note", MAX_NOTE, needed=True)
    row = session.scalar(select(Handover).where(Handover.day == place.day, Handover.shift == place.shift))
    if expected_version is not None and expected_version != (row.version if row else 0):
        raise Conflict("the note was changed by somebody else", "reload it and decide again")
    row = row or Handover(day=place.day, shift=place.shift, remark="", accepted_counts="{}", version=0)
    row.note, row.counts = written, msgspec.json.encode(counts(session)).decode()
    row.written_by, row.written_at, row.version = who.name, clock.now(), row.version + 1
    session.add(row)
    session.flush()
    log.note(session, who, "handover", f"{place.day} {place.shift}")
    audit.append(session, who.actor, "duty.handover", "handover", row.id, detail={"day": row.day, "shift": row.shift})
    announce(session, "duty.handover", {"id": row.id, "day": row.day, "shift": row.shift, "written_by": row.written_by})
    return _record(row)


def accept(
    session: Session, who: Principal, handover_id: int, remark: str = "", *, expected_version: int | None = None
) -> HandoverRecord:
    """Take a shift over. Only somebody of the coming shift, and never who wrote the note. Raises NotFound, Denied, Conflict."""
    take_turn(session)
    row = session.scalar(select(Handover).where(Handover.id == handover_id))
    if row is None:
        raise NotFound("there is no such hand-over")
    if expected_version is not None and expected_version != row.version:
        raise Conflict("the note was changed by somebody else", "reload it and decide again")
    if row.accepted_at is not None:
        raise Conflict("this shift has been taken over already")
    refusal = _why_not(session, who.name, row)
    if refusal:
        raise Denied(refusal)
    row.remark = text(remark, "remark", MAX_NOTE)
    row.accepted_by, row.accepted_at, row.version = who.name, clock.now(), row.version + 1
    row.accepted_counts = msgspec.json.encode(counts(session)).decode()
    log.note(session, who, "handover", f"{row.day} {row.shift} ✓")
    audit.append(session, who.actor, "duty.accept", "handover", row.id, detail={"day": row.day, "shift": row.shift})
    announce(session, "duty.accepted", {"id": row.id, "day": row.day, "shift": row.shift, "accepted_by": row.accepted_by})
    session.flush()
    return _record(row)


def may_accept(session: Session, name: str, record: HandoverRecord) -> bool:
    """Would :func:`accept` let this person?"""
    row = session.get(Handover, record.id)
    return row is not None and row.accepted_at is None and not _why_not(session, name, row)


def list_handovers(session: Session, *, limit: int = 20, cursor: str = "") -> tuple[list[HandoverRecord], str]:
    """Newest first, and the cursor of the next page. Raises Invalid."""
    query = select(Handover).order_by(Handover.id.desc()).limit(limit + 1)
    if cursor:
        if not cursor.isascii() or not cursor.isdecimal() or len(cursor) > 18:
            raise Invalid("the page cursor cannot be read", "start again from the first page", field="cursor")
        query = query.where(Handover.id < int(cursor))
    rows = session.scalars(query).all()
    return [_record(row) for row in rows[:limit]], str(rows[limit - 1].id) if len(rows) > limit else ""


def get(session: Session, handover_id: int) -> HandoverRecord:
    """One. Raises NotFound."""
    row = session.get(Handover, handover_id)
    if row is None:
        raise NotFound("there is no such hand-over")
    return _record(row)


def of_shift(session: Session, day: str, shift: str) -> HandoverRecord | None:
    """The note of that shift."""
    row = session.scalar(select(Handover).where(Handover.day == day, Handover.shift == shift))
    return _record(row) if row else None


def _why_not(session: Session, name: str, row: Handover) -> str:
    """Why this person may not take it over, "" where they may."""
    if name == row.written_by:
        return "who wrote the note does not take it over"
    now = clock.now()
    left = select(RosterEntry.end_at).where(RosterEntry.day == row.day, RosterEntry.shift == row.shift).limit(1)
    end = session.scalar(left) or row.written_at
    coming = select(RosterEntry.id).where(
        RosterEntry.name == name,
        RosterEntry.start_at <= clock.shift(now, EARLY),
        RosterEntry.end_at > now,
        or_(RosterEntry.day != row.day, RosterEntry.shift != row.shift),
        RosterEntry.end_at > end,
    )
    return "" if session.execute(coming).first() is not None else "only somebody of the coming shift takes it over"


def _record(row: Handover) -> HandoverRecord:
    before, after = (msgspec.json.decode(one, type=dict[str, int]) for one in (row.counts, row.accepted_counts))
    return HandoverRecord(
        row.id, row.day, row.shift, row.note, before, row.written_by, row.written_at, row.accepted_by, row.accepted_at,
        row.remark, after, row.version,
    )  # fmt: skip
