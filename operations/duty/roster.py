"""The roster: who is on duty when. Nobody is at two places at a time; a change is made on the revision it was decided on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from operations import clock
from operations.accounts.models import User
from operations.accounts.schema import Principal
from operations.audit import service as audit
from operations.duty import shifts as arithmetic
from operations.duty.coverage import gaps, overlap
from operations.duty.models import DutyState, RosterEntry, ShiftRow
from operations.duty.schema import Gap, OnDuty, Place, Roster, Wish
from operations.duty.shifts import PROPOSED, Shift, bounds, day_of
from operations.errors import Conflict, Invalid, NotFound
from operations.organisations import candidates
from operations.written import text

MAX_DAYS = 400
MAX_WISHES = 2000
MAX_RANK = 5
_AHEAD = 3 * 86_400
"""How far ahead a coming shift is looked for."""


def list_shifts(session: Session) -> tuple[list[Shift], bool]:
    """The shifts of a day in their order, and whether they are only proposed."""
    rows = session.scalars(select(ShiftRow).order_by(ShiftRow.start)).all()
    found = [Shift(row.id, row.name, row.name_en, row.start, row.length) for row in rows]
    return (found, False) if found else (list(PROPOSED), True)


def set_shifts(session: Session, who: Principal, wanted: Sequence[Shift], *, revision: int | None = None) -> None:
    """Replace the shifts; places that are planned keep their hours. Raises Invalid, Conflict."""
    _begin(session, revision)
    named = [
        Shift(one.id, text(one.name, "name", 64, needed=True), text(one.name_en, "name_en", 64), one.start, one.length)
        for one in wanted
    ]
    arithmetic.check(named)
    session.execute(delete(ShiftRow))
    session.add_all(ShiftRow(id=one.id, name=one.name, name_en=one.name_en, start=one.start, length=one.length) for one in named)
    told = {one.id: f"{one.begins}-{one.ends}" for one in named}
    audit.append(session, who.actor, "duty.shifts", "duty", "shifts", detail=told)


def get_roster(session: Session, first: date, days: int) -> Roster:
    """The places of ``days`` days from ``first`` on, and when nobody is called first. Raises Invalid."""
    if not 1 <= days <= MAX_DAYS:
        raise Invalid(f"1 to {MAX_DAYS} days", field="days")
    last = first + timedelta(days=days - 1)
    query = select(RosterEntry).where(RosterEntry.day >= first.isoformat(), RosterEntry.day <= last.isoformat())
    rows = session.scalars(query.order_by(RosterEntry.day, RosterEntry.start_at, RosterEntry.rank)).all()
    shifts, proposed = list_shifts(session)
    # from the first shift of the first day to the first shift of the day after the last: both belong to the days that are asked for
    start, end = bounds(first, shifts[0])[0], bounds(last + timedelta(days=1), shifts[0])[0]
    around = select(RosterEntry.start_at, RosterEntry.end_at).where(
        RosterEntry.rank == 1, RosterEntry.start_at < end, RosterEntry.end_at > start
    )
    empty = gaps(((row.start_at, row.end_at) for row in session.execute(around)), start, end)
    return Roster(revision_of(session), shifts, proposed, _places(session, rows), [Gap(*one) for one in empty])


def on_duty(session: Session, now: str | None = None) -> OnDuty:
    """Who is on duty now, and who comes next, in the order in which they are called."""
    moment = now or clock.now()
    present = select(RosterEntry).where(RosterEntry.start_at <= moment, RosterEntry.end_at > moment)
    later = select(RosterEntry).where(RosterEntry.start_at > moment, RosterEntry.start_at <= clock.shift(moment, _AHEAD))
    here = session.scalars(present.order_by(RosterEntry.rank, RosterEntry.id)).all()
    ahead = session.scalars(later.order_by(RosterEntry.start_at, RosterEntry.rank).limit(50)).all()
    coming = [row for row in ahead if (row.day, row.shift) == (ahead[0].day, ahead[0].shift)]
    return OnDuty(_places(session, here), _places(session, coming))


def first_on_duty(session: Session) -> str:
    """Display name of who is called first now, "" where nobody is."""
    moment = clock.now()
    query = select(RosterEntry.name).where(RosterEntry.start_at <= moment, RosterEntry.end_at > moment)
    name = session.scalar(query.order_by(RosterEntry.rank, RosterEntry.id).limit(1))
    if name is None:
        return ""
    return session.scalar(select(User.display_name).where(User.name == name)) or name


def plan(session: Session, who: Principal, wishes: Sequence[Wish], *, revision: int | None = None, replace: bool = False) -> int:
    """Fill places: all or none. ``replace``: what the shifts that are named had before goes. Returns how many were filled.

    Raises Invalid (with the line of the sheet) and Conflict.
    """
    if not 1 <= len(wishes) <= MAX_WISHES:
        raise Invalid(f"1 to {MAX_WISHES} places at a time", field="places")
    _begin(session, revision)
    shifts = {shift.id: shift for shift in list_shifts(session)[0]}
    people = {user.name for user in candidates(session, "duty.write", "")}
    rows = [_entry(wish, shifts, people, who) for wish in wishes]
    if replace:
        for day, shift in dict.fromkeys((row.day, row.shift) for row in rows):
            session.execute(delete(RosterEntry).where(RosterEntry.day == day, RosterEntry.shift == shift))
    for row, wish in zip(rows, wishes, strict=True):
        _refuse_double(session, row, wish)
        session.add(row)
        session.flush()
    days = sorted({row.day for row in rows})
    detail = {"places": len(rows), "first": days[0], "last": days[-1], "replace": replace}
    audit.append(session, who.actor, "duty.plan", "duty", "roster", detail=detail)
    return len(rows)


def clear(session: Session, who: Principal, place_id: int, *, revision: int | None = None) -> None:
    """Take somebody off the roster. Raises NotFound, Conflict."""
    _begin(session, revision)
    row = session.get(RosterEntry, place_id)
    if row is None:
        raise NotFound("there is no such place in the roster")
    detail = {"day": row.day, "shift": row.shift, "rank": row.rank, "name": row.name}
    session.delete(row)
    audit.append(session, who.actor, "duty.clear", "duty", "roster", detail=detail)


def revision_of(session: Session) -> int:
    """The version of roster and shifts."""
    return session.execute(select(DutyState.revision).where(DutyState.id == 1)).scalar_one()


def _begin(session: Session, revision: int | None) -> None:
    """Only one at a time gets beyond this line; raises Conflict where ``revision`` is not the one that is there."""
    session.execute(update(DutyState).where(DutyState.id == 1).values(revision=DutyState.revision + 1))
    if revision is not None and revision_of(session) != revision + 1:
        raise Conflict("the roster was changed by somebody else", "reload it and decide again")


def _entry(wish: Wish, shifts: dict[str, Shift], people: set[str], who: Principal) -> RosterEntry:
    shift = shifts.get(wish.shift)
    if shift is None:
        raise _wrong(wish, f"there is no shift {wish.shift[:40]!r}", "shift")
    if wish.name not in people:
        raise _wrong(wish, f"{wish.name[:64]!r} cannot be on duty", "name")
    if not 1 <= wish.rank <= MAX_RANK:
        raise _wrong(wish, f"a rank is 1 to {MAX_RANK}", "rank")
    try:
        start, end = bounds(day_of(wish.day), shift)
    except Invalid as error:
        raise _wrong(wish, error.message, "day") from error
    return RosterEntry(
        day=wish.day, shift=shift.id, rank=wish.rank, name=wish.name, start_at=start, end_at=end, planned_by=who.name
    )


def _refuse_double(session: Session, row: RosterEntry, wish: Wish) -> None:
    taken = select(RosterEntry.id).where(RosterEntry.day == row.day, RosterEntry.shift == row.shift, RosterEntry.rank == row.rank)
    if session.execute(taken).first() is not None:
        raise _wrong(wish, f"rank {row.rank} of {row.day} {row.shift} is taken", "rank")
    near = select(RosterEntry).where(
        RosterEntry.name == row.name, RosterEntry.start_at < row.end_at, RosterEntry.end_at > row.start_at
    )
    for other in session.scalars(near):
        if overlap((row.start_at, row.end_at), (other.start_at, other.end_at)):
            raise _wrong(wish, f"{row.name!r} is on duty already: {other.day} {other.shift}", "name")


def _wrong(wish: Wish, message: str, field: str) -> Invalid:
    return Invalid(f"line {wish.line}: {message}" if wish.line else message, field=field)


def _places(session: Session, rows: Sequence[RosterEntry]) -> list[Place]:
    names = {row.name for row in rows}
    shown = {row[0]: row[1] for row in session.execute(select(User.name, User.display_name).where(User.name.in_(names)))}
    return [
        Place(row.id, row.day, row.shift, row.rank, row.name, shown.get(row.name) or row.name, row.start_at, row.end_at)
        for row in rows
    ]
