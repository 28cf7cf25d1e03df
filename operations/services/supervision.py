"""Supervision: how the periods of each service were kept, and what each organisation used. Limited to what the session may see."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.orm import Session

from kernel.db.moments import seconds_between
from operations import clock
from operations.errors import Invalid
from operations.organisations import organisations_seen
from operations.services.catalogue import CATALOGUE
from operations.services.listing import visible
from operations.services.metering import bounds_of
from operations.services.models import IS_OPEN, Application
from operations.services.periods import HOUR
from operations.services.usage import Usage
from operations.tickets.listing import visible as visible_tickets
from operations.tickets.models import Ticket

GB = 1_000_000_000


class Kept(msgspec.Struct, frozen=True):
    """Applications of a service within a period. ``late``: accepted or issued after the time that was promised.

    accept_hours, issue_hours  mean of those that got there, None where none did
    """

    service: str
    applied: int
    issued: int
    rejected: int
    waiting: int
    overdue: int
    late: int
    accept_hours: float | None
    issue_hours: float | None


class Month(msgspec.Struct, frozen=True):
    """What an organisation used in a month: ``permits`` the most in force at the end of a day."""

    month: str
    events: int
    bytes: int
    permits: int
    certificates: int
    searches: int


class Summary(msgspec.Struct, frozen=True):
    """A year of an organisation."""

    bureau: str
    year: int
    services: list[Kept]
    months: list[Month]
    tickets: int
    tickets_done: int
    tickets_overdue: int
    quota_gigabytes: int


def services_kept(session: Session, start: str, end: str, bureau: str = "") -> list[Kept]:
    """By service, of what was applied for from ``start`` (included) to ``end``."""
    query = _kept_query(clock.now()).where(*visible(session), Application.applied_at >= start, Application.applied_at < end)
    if bureau:
        query = query.where(Application.bureau == bureau)
    found = {
        row.service: Kept(**{name: _rounded(getattr(row, name)) for name in Kept.__struct_fields__})
        for row in session.execute(query)
    }
    return [found.get(service.id, Kept(service.id, 0, 0, 0, 0, 0, 0, None, None)) for service in CATALOGUE]


def summary(session: Session, bureau: str, year: int) -> Summary:
    """The year of one organisation. Raises Invalid for one that the session does not stand for, or a year that is none."""
    seen = organisations_seen(session)
    if not 2000 <= year <= 2200:
        raise Invalid("a year has four digits", field="year")
    if seen is not None and bureau not in seen:
        raise Invalid(f"{bureau[:64]!r} is no organisation of yours", field="bureau")
    start, end = year_bounds(year)
    late = Ticket.due_at < func.coalesce(Ticket.done_at, clock.now())
    mine = select(func.count(), _number(Ticket.state == "done"), _number(late)).where(
        *visible_tickets(session), Ticket.bureau == bureau, Ticket.created_at >= start, Ticket.created_at < end
    )
    tickets, done, overdue = session.execute(mine).one()
    quota = select(Application.form).where(
        *visible(session), Application.bureau == bureau, Application.service == "quota", Application.state == "issued"
    )
    gigabytes = sum(msgspec.json.decode(form)["gigabytes"] for form in session.scalars(quota))
    return Summary(
        bureau=bureau,
        year=year,
        services=services_kept(session, start, end, bureau),
        months=months(session, bureau, year),
        tickets=tickets,
        tickets_done=done,
        tickets_overdue=overdue,
        quota_gigabytes=gigabytes,
    )


_SUMS = (
    func.sum(Usage.events), func.sum(Usage.bytes), func.max(Usage.permits), func.sum(Usage.certificates), func.sum(Usage.searches),
)  # fmt: skip
"""The fields of Month behind its name."""


def months(session: Session, bureau: str, year: int) -> list[Month]:
    """The twelve months as metered. The caller has checked that the session stands for the organisation."""
    month = func.substr(Usage.day, 1, 7)
    query = (
        select(month, *_SUMS)
        .where(Usage.bureau == bureau, Usage.day >= f"{year}-01-01", Usage.day <= f"{year}-12-31")
        .group_by(month)
    )
    found = {row[0]: Month(row[0], *(int(value) for value in row[1:])) for row in session.execute(query)}
    return [found.get(name, Month(name, 0, 0, 0, 0, 0)) for name in (f"{year}-{number:02d}" for number in range(1, 13))]


def usage_of_month(session: Session, month: str) -> list[tuple[str, Month]]:
    """By organisation, those that the session stands for."""
    query = (
        select(Usage.bureau, *_SUMS)
        .where(Usage.day >= f"{month}-01", Usage.day <= f"{month}-31")
        .group_by(Usage.bureau)
        .order_by(func.sum(Usage.events).desc(), Usage.bureau)
    )
    seen = organisations_seen(session)
    if seen is not None:
        query = query.where(Usage.bureau.in_(sorted(seen)))
    return [(row[0], Month(month, *(int(value) for value in row[1:]))) for row in session.execute(query)]


def metered_at(session: Session, month: str) -> str:
    """When the usage of that month was last counted; "" if it never was."""
    query = select(func.max(Usage.metered_at)).where(Usage.day >= f"{month}-01", Usage.day <= f"{month}-31")
    return session.execute(query).scalar_one() or ""


def year_bounds(year: int) -> tuple[str, str]:
    """The year in Beijing as moments (UTC)."""
    return bounds_of(date(year, 1, 1))[0], bounds_of(date(year, 12, 31))[1]


def _kept_query(now: str) -> Select[*tuple[Any, ...]]:
    """The fields of Kept by service: a hundred thousand applications are counted where they are."""
    one = Application
    accepted_from = func.coalesce(one.accepted_at, one.applied_at)
    accept_missed = and_(one.state == "applied", one.accept_due < now)
    issue_missed = and_(one.state.in_(("accepted", "to_confirm")), one.issue_due < now)
    return select(
        one.service,
        func.count().label("applied"),
        func.count(one.issued_at).label("issued"),
        _number(one.state == "rejected").label("rejected"),
        _number(IS_OPEN).label("waiting"),
        _number(or_(accept_missed, issue_missed)).label("overdue"),
        _number(or_(one.accepted_at > one.accept_due, one.issued_at > one.issue_due)).label("late"),
        (func.avg(seconds_between(one.applied_at, one.accepted_at)) / HOUR).label("accept_hours"),
        (func.avg(seconds_between(accepted_from, one.issued_at)) / HOUR).label("issue_hours"),
    ).group_by(one.service)


def _number(condition: ColumnElement[bool]) -> ColumnElement[int]:
    """How many rows fulfil it."""
    return func.count(case((condition, 1)))


def _rounded(value: Any) -> Any:
    return round(float(value), 1) if isinstance(value, float | Decimal) else value
