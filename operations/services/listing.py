"""Lists of applications, limited to what the session may see."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from sqlalchemy import Select, and_, func, or_, select, tuple_
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from operations import clock
from operations.errors import Invalid, NotFound
from operations.organisations import organisations_seen
from operations.reach import zones_seen
from operations.services.models import IS_OPEN, Application, ApplicationZone
from operations.services.periods import overdue
from operations.services.schema import ApplicationFilter, ApplicationPage, ApplicationRow

MAX_PAGE = 200
_CURSOR = re.compile(r"([0-9TZ:.-]{27})~([0-9]{1,18})")


def visible(session: Session, *, few: bool = False) -> list[ColumnElement[bool]]:
    """A bureau sees its own applications, and those that name a zone of its.

    ``few``: for a page of rows, each of which is looked up when its turn comes (OFFSET 0 has PostgreSQL do so); without it, whoever
    looks at many rows has those of the zones read first.
    """
    zones = zones_seen(session)
    if zones is None:
        return []
    of_ours = (ApplicationZone.application_id == Application.id, ApplicationZone.zone.in_(sorted(zones)))
    named = select(ApplicationZone.zone).where(*of_ours)
    return [or_(Application.bureau.in_(sorted(organisations_seen(session) or ())), (named.offset(0) if few else named).exists())]


def find(session: Session, application_id: int, *, for_update: bool = False) -> Application:
    """The row. Raises NotFound, also where the session may not see it."""
    query = select(Application).where(Application.id == application_id, *visible(session))
    found = session.execute(query.with_for_update() if for_update else query).scalar_one_or_none()
    if found is None:
        raise NotFound(f"there is no application {application_id}")
    return found


def list_applications(
    session: Session, where: ApplicationFilter = ApplicationFilter(), *, limit: int = 50, cursor: str = ""
) -> ApplicationPage:
    """One page, last changed first. Raises Invalid for a cursor that is none."""
    limit = max(1, min(limit, MAX_PAGE))
    query = _filtered(session, select(Application), where)
    if cursor:
        match = _CURSOR.fullmatch(cursor)
        if match is None:
            raise Invalid("the page cursor cannot be read", "start again from the first page", field="cursor")
        query = query.where(tuple_(Application.updated_at, Application.id) < tuple_(match[1], int(match[2])))
    query = query.order_by(Application.updated_at.desc(), Application.id.desc()).limit(limit + 1)
    found = list(session.execute(query).scalars())
    last = found[limit - 1] if len(found) > limit else None
    return ApplicationPage([row_of(one) for one in found[:limit]], f"{last.updated_at}~{last.id}" if last else "")


def count_states(session: Session) -> dict[str, int]:
    """Visible applications by state."""
    by_state = select(Application.state, func.count()).group_by(Application.state)
    zones = zones_seen(session)
    if zones is None:
        return {row[0]: row[1] for row in session.execute(by_state)}
    # Each way to see an application through its own index: the condition of `visible` would be checked for every one there is.
    ours = Application.bureau.in_(sorted(organisations_seen(session) or ()))
    named = select(ApplicationZone.application_id).where(
        ApplicationZone.zone.in_(sorted(zones)), ApplicationZone.application_id.not_in(select(Application.id).where(ours))
    )
    counted: Counter[str] = Counter()
    for way in (ours, Application.id.in_(named)):
        counted.update({row[0]: row[1] for row in session.execute(by_state.where(way))})
    return dict(counted)


def count_open(session: Session) -> int:
    """Visible applications that wait for the operator; at most 100."""
    found = select(Application.id).where(*visible(session, few=True), IS_OPEN).limit(100)
    return session.execute(select(func.count()).select_from(found.subquery())).scalar_one()


def row_of(one: Application) -> ApplicationRow:
    """As shown in a list."""
    names = [name for name in ApplicationRow.__struct_fields__ if name != "overdue"]
    late = overdue(one.state, clock.now(), one.accept_due, one.issue_due)
    return ApplicationRow(**{name: getattr(one, name) for name in names}, overdue=late)


def _filtered(session: Session, query: Select[Any], where: ApplicationFilter) -> Select[Any]:
    query = query.where(*visible(session, few=True))
    equal = ((Application.state, where.state), (Application.service, where.service), (Application.bureau, where.bureau))
    for column, value in (*equal, (Application.applicant, where.mine)):
        if value:
            query = query.where(column == value)
    if where.open:
        query = query.where(IS_OPEN)
    if where.overdue:
        now = clock.now()
        late = and_(Application.state.in_(("accepted", "to_confirm")), Application.issue_due < now)
        query = query.where(or_(and_(Application.state == "applied", Application.accept_due < now), late))
    return query
