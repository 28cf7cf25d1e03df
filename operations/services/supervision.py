"""Supervision: how the periods of each service were kept, and what each organisation used. Limited to what the session may see."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from operations import clock
from operations.errors import Invalid
from operations.organisations import organisations_seen
from operations.services.catalogue import CATALOGUE
from operations.services.listing import visible
from operations.services.metering import bounds_of
from operations.services.models import Application
from operations.services.periods import HOUR, overdue
from operations.services.usage import Usage
from operations.tickets.listing import visible as visible_tickets
from operations.tickets.models import Ticket

GB = 1_000_000_000


_COLUMNS = (
    *(Application.service, Application.state, Application.applied_at, Application.accepted_at, Application.issued_at),
    *(Application.accept_due, Application.issue_due),
)


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
    query = select(*_COLUMNS).where(*visible(session), Application.applied_at >= start, Application.applied_at < end)
    if bureau:
        query = query.where(Application.bureau == bureau)
    by_service: dict[str, list[Any]] = {}
    for one in session.execute(query):
        by_service.setdefault(one.service, []).append(one)
    now = clock.now()
    return [_kept(service.id, by_service.get(service.id, []), now) for service in CATALOGUE]


def summary(session: Session, bureau: str, year: int) -> Summary:
    """The year of one organisation. Raises Invalid for one that the session does not stand for, or a year that is none."""
    seen = organisations_seen(session)
    if not 2000 <= year <= 2200:
        raise Invalid("a year has four digits", field="year")
    if seen is not None and bureau not in seen:
        raise Invalid(f"{bureau[:64]!r} is no organisation of yours", field="bureau")
    start, end = year_bounds(year)
    now = clock.now()
    mine = select(Ticket.state, Ticket.due_at, Ticket.done_at).where(
        *visible_tickets(session), Ticket.bureau == bureau, Ticket.created_at >= start, Ticket.created_at < end
    )
    rows = session.execute(mine).all()
    quota = select(Application.form).where(
        *visible(session), Application.bureau == bureau, Application.service == "quota", Application.state == "issued"
    )
    gigabytes = sum(msgspec.json.decode(form)["gigabytes"] for form in session.scalars(quota))
    return Summary(
        bureau=bureau,
        year=year,
        services=services_kept(session, start, end, bureau),
        months=months(session, bureau, year),
        tickets=len(rows),
        tickets_done=sum(row.state == "done" for row in rows),
        tickets_overdue=sum(row.due_at is not None and row.due_at < (row.done_at or now) for row in rows),
        quota_gigabytes=gigabytes,
    )


def months(session: Session, bureau: str, year: int) -> list[Month]:
    """The twelve months as metered. The caller has checked that the session stands for the organisation."""
    month = func.substr(Usage.day, 1, 7)
    query = (
        select(month, func.sum(Usage.events), func.sum(Usage.bytes), func.max(Usage.permits), func.sum(Usage.certificates))
        .where(Usage.bureau == bureau, Usage.day >= f"{year}-01-01", Usage.day <= f"{year}-12-31")
        .group_by(month)
    )
    found = {row[0]: Month(row[0], *(int(value) for value in row[1:])) for row in session.execute(query)}
    return [found.get(name, Month(name, 0, 0, 0, 0)) for name in (f"{year}-{number:02d}" for number in range(1, 13))]


def usage_of_month(session: Session, month: str) -> list[tuple[str, Month]]:
    """By organisation, those that the session stands for."""
    query = (
        select(Usage.bureau, func.sum(Usage.events), func.sum(Usage.bytes), func.max(Usage.permits), func.sum(Usage.certificates))
        .where(Usage.day >= f"{month}-01", Usage.day <= f"{month}-31")
        .group_by(Usage.bureau)
        .order_by(func.sum(Usage.events).desc(), Usage.bureau)
    )
    seen = organisations_seen(session)
    if seen is not None:
        query = query.where(Usage.bureau.in_(sorted(seen)))
    return [(row[0], Month(month, *(int(value) for value in row[1:]))) for row in session.execute(query)]


def year_bounds(year: int) -> tuple[str, str]:
    """The year in Beijing as moments (UTC)."""
    return bounds_of(date(year, 1, 1))[0], bounds_of(date(year, 12, 31))[1]


def _kept(service: str, found: list[Any], now: str) -> Kept:
    accepted = [(one.applied_at, one.accepted_at) for one in found if one.accepted_at]
    issued = [(one.accepted_at or one.applied_at, one.issued_at) for one in found if one.issued_at]
    return Kept(
        service=service,
        applied=len(found),
        issued=sum(one.issued_at is not None for one in found),
        rejected=sum(one.state == "rejected" for one in found),
        waiting=sum(one.state in ("applied", "accepted", "to_confirm") for one in found),
        overdue=sum(overdue(one.state, now, one.accept_due, one.issue_due) for one in found),
        late=sum(_late(one) for one in found),
        accept_hours=_mean(accepted),
        issue_hours=_mean(issued),
    )


def _late(one: Any) -> bool:
    accepted_late = one.accepted_at is not None and one.accepted_at > one.accept_due
    issued_late = one.issued_at is not None and one.issue_due is not None and one.issued_at > one.issue_due
    return accepted_late or issued_late


def _mean(spans: Iterable[tuple[str, str]]) -> float | None:
    hours = [(clock.moment(end) - clock.moment(start)).total_seconds() / HOUR for start, end in spans]
    return round(sum(hours) / len(hours), 1) if hours else None
