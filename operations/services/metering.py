"""Metering: once a day and organisation, from the event store, the applications and the audit trail. Metering a day again gives the
same row.

An event that crosses from one organisation's zone to another's concerns both, so the sum over organisations may exceed the store's.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from kernel.db import Database
from kernel.event import SHANGHAI, timestamp
from kernel.query import Query
from kernel.store.contract import EventStore, TimeRange
from operations import clock
from operations.organisations import owners
from operations.reach import concerning
from operations.services.models import Application
from operations.services.searches import searches_by_organisation
from operations.services.usage import Usage

BACK = 7
"""Days that are metered again while events may still come late, or the scheduler stood still."""

SETTLED = 3 * 86_400
"""Seconds after a day's end from which on its row stays as it is."""


def bounds_of(day: date) -> tuple[str, str]:
    """The day in Beijing as moments (UTC)."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)
    return timestamp(midnight), timestamp(midnight + timedelta(days=1))


def due(session: Session, now: str) -> list[date]:
    """Days to be metered now: today, and those of the last BACK days that were not metered after they had settled."""
    today = datetime.fromisoformat(now).astimezone(SHANGHAI).date()
    first = today - timedelta(days=BACK)
    metered = select(Usage.day, func.min(Usage.metered_at)).where(Usage.day >= first.isoformat()).group_by(Usage.day)
    done = {row[0]: row[1] for row in session.execute(metered)}
    days = [first + timedelta(days=offset) for offset in range(BACK + 1)]
    return [day for day in days if done.get(day.isoformat(), "") < clock.shift(bounds_of(day)[1], SETTLED)]


def meter(database: Database, store: EventStore, now: str | None = None) -> int:
    """Meter what is due; returns the number of rows written."""
    moment = now or clock.now()
    with database.read() as session:
        days, owned = due(session, moment), owners(session)
    whole = store.statistics()
    mean = whole["bytes"] / whole["events"] if whole.get("events") else 0.0
    written = 0
    for day in days:
        with database.read() as session:
            searched = searches_by_organisation(session, *bounds_of(day))
        rows = [_row(database, store, day, bureau, zones, mean, moment) for bureau, zones in sorted(owned.items())]
        for row in rows:
            row.searches = searched[row.bureau]
        with database.write() as session:
            session.execute(delete(Usage).where(Usage.day == day.isoformat()))
            session.add_all(rows)
        written += len(rows)
    return written


def _row(database: Database, store: EventStore, day: date, bureau: str, zones: frozenset[str], mean: float, now: str) -> Usage:
    start, end = bounds_of(day)
    events = store.count(Query("", concerning(zones), ()), TimeRange(start, end))
    with database.read() as session:
        permits = session.scalar(
            select(func.count()).where(
                Application.bureau == bureau,
                Application.service == "cross-zone-permit",
                Application.state.in_(("issued", "expired", "revoked")),
                Application.issued_at < end,
                or_(Application.expires_at.is_(None), Application.expires_at >= end),
            )
        )
        certificates = session.scalar(
            select(func.count()).where(
                Application.bureau == bureau,
                Application.service == "certificate",
                Application.issued_at >= start,
                Application.issued_at < end,
            )
        )
    return Usage(
        day=day.isoformat(), bureau=bureau, events=events, bytes=round(events * mean), permits=permits or 0,
        certificates=certificates or 0, metered_at=now,
    )  # fmt: skip
