"""The rules of the register: proposed → accepted → in progress → done → verified, or declined.

Whoever works on tickets may propose. The operator accepts, declines, verifies and opens again; the side that mends it starts and
finishes. Whether it helped is judged by somebody else than who did it. A bureau sees its own.
"""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import ColumnElement, func, select, tuple_
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from operations import clock
from operations.accounts.schema import Principal
from operations.audit import service as audit
from operations.errors import Conflict, Denied, Invalid, NotFound
from operations.improvements.models import SOURCES, STATES, Improvement, ImprovementStep
from operations.improvements.schema import Detail, Draft, ImprovementFilter, ImprovementPage, ImprovementRow, Step
from operations.incidents.review import list_actions
from operations.organisations import organisations_seen, owners
from operations.written import choice, moment, text

MAX_TITLE, MAX_TEXT, MAX_NAME, MAX_PAGE = 200, 4_000, 64, 200
MAX_STEPS = 200
_CURSOR = re.compile(r"([0-9TZ:.-]{27})~([0-9]{1,18})")
_NEXT: dict[str, tuple[frozenset[str], str]] = {
    "accept": (frozenset({"proposed"}), "accepted"),
    "decline": (frozenset({"proposed", "accepted"}), "declined"),
    "start": (frozenset({"accepted"}), "in_progress"),
    "finish": (frozenset({"accepted", "in_progress"}), "done"),
    "verify": (frozenset({"done"}), "verified"),
    "reopen": (frozenset({"done", "verified", "declined"}), "accepted"),
}
ACTS: tuple[str, ...] = tuple(_NEXT)
_OPERATORS = frozenset({"accept", "decline", "verify", "reopen"})
_NEED_WORDS = frozenset({"decline", "finish", "verify", "reopen"})


def list_improvements(
    session: Session, where: ImprovementFilter = ImprovementFilter(), *, limit: int = 50, cursor: str = ""
) -> ImprovementPage:
    """One page, last changed first. Raises Invalid."""
    limit = max(1, min(limit, MAX_PAGE))
    query = select(Improvement).where(*_conditions(where), *_seen(session))
    if cursor:
        match = _CURSOR.fullmatch(cursor)
        if match is None:
            raise Invalid("the page cursor cannot be read", "start again from the first page", field="cursor")
        query = query.where(tuple_(Improvement.updated_at, Improvement.id) < tuple_(match[1], int(match[2])))
    order = (Improvement.updated_at.desc(), Improvement.id.desc())
    found = list(session.execute(query.order_by(*order).limit(limit + 1)).scalars())
    rows = [_row(one) for one in found[:limit]]
    return ImprovementPage(rows, f"{rows[-1].updated_at}~{rows[-1].id}" if len(found) > limit else "")


def count_states(session: Session) -> dict[str, int]:
    """How many of each state this session sees."""
    query = select(Improvement.state, func.count()).where(*_seen(session)).group_by(Improvement.state)
    found = {row[0]: row[1] for row in session.execute(query)}
    return {state: found.get(state, 0) for state in STATES}


def get_improvement(session: Session, who: Principal, number: int) -> Detail:
    """One with its steps. Raises NotFound."""
    row = _find(session, number)
    steps = select(ImprovementStep).where(ImprovementStep.improvement_id == number).order_by(ImprovementStep.id.desc())
    told = [Step(one.time, one.actor, one.act, one.note) for one in session.execute(steps.limit(MAX_STEPS)).scalars()]
    return Detail(_row(row), told, [act for act in ACTS if _allowed(session, who, row, act)])


def propose(session: Session, who: Principal, draft: Draft, *, origin: str | None = None) -> ImprovementRow:
    """A new entry; a bureau proposes for itself. Raises Invalid, Denied, Conflict where the origin has one already."""
    ours = organisations_seen(session)
    organisation = draft.organisation
    if ours is not None:
        if len(ours) != 1:
            raise Denied("your scope does not stand for one organisation", "ask for the organisation as your scope")
        (only,) = ours
        if organisation and organisation != only:
            raise Invalid("a bureau proposes for itself", "leave the organisation empty", field="organisation")
        organisation = only
    elif organisation and organisation not in owners(session):
        raise Invalid(f"no zone belongs to {organisation[:64]!r}", "an owner of the zone plan, or empty", field="organisation")
    present = clock.now()
    row = Improvement(
        title=text(draft.title, "title", MAX_TITLE, needed=True), body=text(draft.body, "body", MAX_TEXT),
        source=choice(draft.source, "source", SOURCES), origin=origin, organisation=organisation,
        responsible=text(draft.responsible, "responsible", MAX_NAME), state="proposed", due_at=moment(draft.due_at, "due_at"),
        result="", effect="", created_by=who.name, created_at=present, updated_at=present, done_by="", verified_by="", version=1,
    )  # fmt: skip
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError as error:
        raise Conflict("this is in the register already") from error
    _note(session, who, row, "propose", "")
    return _row(row)


def take_over(session: Session, who: Principal, incident_id: int, action_id: int) -> ImprovementRow:
    """An action of an incident's review as an entry, once. Raises NotFound, Denied, Conflict."""
    action = next((one for one in list_actions(session, incident_id) if one.id == action_id), None)
    if action is None:
        raise NotFound("there is no such action")
    if organisations_seen(session) is not None:
        raise Denied("the operator takes actions of reviews over")
    due = action.due_at or ""
    draft = Draft(action.title, f"incident {incident_id}", "review", responsible=action.owner[:MAX_NAME], due_at=due)
    return propose(session, who, draft, origin=f"incident-action:{action_id}")


def act(
    session: Session, who: Principal, number: int, name: str, note: str = "", *, expected_version: int | None
) -> ImprovementRow:
    """One of ACTS. Raises NotFound, Invalid, Denied, Conflict."""
    row = _find(session, number, for_update=True)
    if expected_version is not None and expected_version != row.version:
        raise Conflict("this was changed by somebody else", "read it again and decide once more")
    choice(name, "act", ACTS)
    words = text(note, "note", MAX_TEXT, needed=name in _NEED_WORDS)
    if row.state not in _NEXT[name][0]:
        raise Conflict(f"this is not possible in the state {row.state}")
    if name == "verify" and who.name == row.done_by:
        raise Denied("whether it helped is judged by somebody else than who did it")
    if not _allowed(session, who, row, name):
        raise Denied("this is for the other side to do")
    row.state = _NEXT[name][1]
    if name == "finish":
        row.result, row.done_by = words, who.name
    elif name == "verify":
        row.effect, row.verified_by = words, who.name
    elif name == "reopen":
        row.done_by = row.verified_by = row.effect = ""
    row.version, row.updated_at = row.version + 1, clock.now()
    _note(session, who, row, name, words)
    return _row(row)


def _allowed(session: Session, who: Principal, row: Improvement, name: str) -> bool:
    if not who.may("tickets.write") or row.state not in _NEXT[name][0]:
        return False
    ours = organisations_seen(session)
    if name in _OPERATORS:
        return ours is None and not (name == "verify" and who.name == row.done_by)
    return not row.organisation if ours is None else row.organisation in ours


def _note(session: Session, who: Principal, row: Improvement, name: str, words: str) -> None:
    session.flush()
    session.add(ImprovementStep(improvement_id=row.id, time=clock.now(), actor=who.name, act=name, note=words))
    detail = {"title": row.title, "state": row.state, "organisation": row.organisation}
    audit.append(session, who.actor, f"improvement.{name}", "improvement", row.id, detail=detail)


def _find(session: Session, number: int, *, for_update: bool = False) -> Improvement:
    query = select(Improvement).where(Improvement.id == number, *_seen(session))
    row = session.execute(query.with_for_update() if for_update else query).scalar_one_or_none()
    if row is None:
        raise NotFound(f"there is no improvement {number}")
    return row


def _seen(session: Session) -> list[ColumnElement[bool]]:
    ours = organisations_seen(session)
    return [] if ours is None else [Improvement.organisation.in_(sorted(ours))]


def _conditions(where: ImprovementFilter) -> list[ColumnElement[bool]]:
    pairs: tuple[tuple[Any, str], ...] = (
        (Improvement.state, where.state),
        (Improvement.source, where.source),
        (Improvement.organisation, where.organisation),
    )
    found = [column == value for column, value in pairs if value]
    if where.overdue:
        found += [Improvement.due_at < clock.now(), Improvement.state.in_(("proposed", "accepted", "in_progress"))]
    found += [func.lower(Improvement.title).contains(word, autoescape=True) for word in where.text.lower().split()[:8]]
    return found


def _row(row: Improvement) -> ImprovementRow:
    values = {name: getattr(row, name) for name in ImprovementRow.__struct_fields__ if name != "overdue"}
    late = row.due_at is not None and row.due_at < clock.now() and row.state in ("proposed", "accepted", "in_progress")
    return ImprovementRow(**values, overdue=late)
