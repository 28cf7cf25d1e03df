"""What a report tells of one period, counted in the database over indexes of time, for what the session may see.

Counted whole: alerts by level (those last seen in the period), boundary violations, warnings, receipts, tickets, applications.
Taken from the newest SAMPLE alerts of the period: top rules and zones. Deadlines of the newest MOST_INCIDENTS incidents are looked
at; where that is not all of them the report says so.
"""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import ColumnElement, case, exists, func, select
from sqlalchemy.orm import Session

from kernel.detection import LEVELS
from kernel.query.parser import parse_query
from kernel.query.tree import Query
from kernel.store.contract import EventStore, TimeRange
from operations import clock
from operations.alerts.models import Alert, AlertEntity
from operations.incidents.metrics import metrics
from operations.incidents.models import Incident
from operations.incidents.places import within as incidents_within
from operations.incidents.schema import Metrics
from operations.incidents.timing import clocks_of
from operations.reach import concerning, organisations_seen, zones_seen
from operations.services.supervision import Kept, services_kept
from operations.tickets.listing import visible as visible_tickets
from operations.tickets.models import Ticket
from operations.warnings.models import WarningReceipt, WarningRow
from operations.warnings.rows import within as warnings_within

SAMPLE = 20_000
MOST_INCIDENTS = 2_000
TOP = 10
SOURCES = 50
WARNING_LEVELS = ("red", "orange", "yellow", "blue")


class Top(msgspec.Struct, frozen=True):
    """A rule or a zone with its number of alerts within the sample."""

    name: str
    count: int


class Warnings(msgspec.Struct, frozen=True):
    """Published in the period by level; receipts asked for in it: signed for, signed too late, neither yet and over time."""

    levels: dict[str, int]
    asked: int
    received: int
    late: int
    overdue: int
    answered: int


class Incidents(msgspec.Struct, frozen=True):
    """``levels``: level 1 to 4 as text → discovered in the period. Deadlines (SLA and by law) of the ``examined`` ones."""

    levels: dict[str, int]
    open: int
    examined: int
    met: int
    missed: int
    running: int
    times: Metrics


class Tickets(msgspec.Struct, frozen=True):
    """Made in the period; of these done, and over their time."""

    made: int
    done: int
    overdue: int


class Source(msgspec.Struct, frozen=True):
    """A data set with its events. ``before``: of the period before; none now where there were some is a source fallen silent."""

    name: str
    events: int
    before: int

    @property
    def silent(self) -> bool:
        return self.before > 0 and self.events == 0


class Counted(msgspec.Struct, frozen=True):
    """The numbers of one period."""

    levels: dict[str, int]
    alerts: int
    violations: int
    warnings: Warnings
    incidents: Incidents
    tickets: Tickets
    applications: list[Kept]
    events: int | None


class Figures(msgspec.Struct, frozen=True):
    """A report's numbers with those of the period before. ``sampled`` alerts were looked at for rules and zones."""

    now: Counted
    before: Counted
    rules: list[Top]
    zones: list[Top]
    sampled: int
    sources: list[Source] | None


def collect(session: Session, store: EventStore | None, bounds: tuple[str, str], before: tuple[str, str]) -> Figures:
    """Everything. Without a store the volume of events is left out (None)."""
    rules, zones, sampled = _tops(session, *bounds)
    return Figures(
        now=count(session, store, *bounds),
        before=count(session, store, *before),
        rules=rules,
        zones=zones,
        sampled=sampled,
        sources=_sources(session, store, bounds, before) if store else None,
    )


def count(session: Session, store: EventStore | None, start: str, end: str) -> Counted:
    """The numbers from ``start`` (included) to ``end``."""
    levels = _alerts(session, start, end)
    return Counted(
        levels=levels,
        alerts=sum(levels.values()),
        violations=_violations(session, start, end),
        warnings=_warnings(session, start, end),
        incidents=_incidents(session, start, end),
        tickets=_tickets(session, start, end),
        applications=services_kept(session, start, end),
        events=store.count(_ours(session), TimeRange(start, end)) if store else None,
    )


def _within_zones(session: Session) -> list[ColumnElement[bool]]:
    zones = zones_seen(session)
    if zones is None:
        return []
    return [exists().where(AlertEntity.alert_id == Alert.id, AlertEntity.kind == "zone", AlertEntity.value.in_(sorted(zones)))]


def _alerts(session: Session, start: str, end: str) -> dict[str, int]:
    """Level by level, each a range of the index (level, last_seen): nothing outside of the period is read."""
    inside = (Alert.last_seen >= start, Alert.last_seen < end, *_within_zones(session))
    return {
        level: session.execute(select(func.count()).select_from(Alert).where(Alert.level == level, *inside)).scalar_one()
        for level in LEVELS
    }


def _violations(session: Session, start: str, end: str) -> int:
    """Alerts of the zone boundaries."""
    query = select(func.count()).select_from(Alert).where(Alert.engine == "zone", Alert.last_seen >= start, Alert.last_seen < end)
    return session.execute(query.where(*_within_zones(session))).scalar_one()


def _tops(session: Session, start: str, end: str) -> tuple[list[Top], list[Top], int]:
    newest = select(Alert.id, Alert.rule_id, Alert.rule_name).where(Alert.last_seen >= start, Alert.last_seen < end)
    newest = newest.where(*_within_zones(session)).order_by(Alert.last_seen.desc(), Alert.id.desc()).limit(SAMPLE)
    sample = newest.subquery()
    number = func.count()
    rules = select(func.max(sample.c.rule_name), number).group_by(sample.c.rule_id).order_by(number.desc(), sample.c.rule_id)
    named = select(AlertEntity.value, number).join(sample, sample.c.id == AlertEntity.alert_id).where(AlertEntity.kind == "zone")
    seen = zones_seen(session)
    if seen is not None:
        named = named.where(AlertEntity.value.in_(sorted(seen)))
    named = named.group_by(AlertEntity.value).order_by(number.desc(), AlertEntity.value)
    tops = [[Top(name, found) for name, found in session.execute(query.limit(TOP)).all()] for query in (rules, named)]
    return tops[0], tops[1], session.execute(select(func.count()).select_from(sample)).scalar_one()


def _warnings(session: Session, start: str, end: str) -> Warnings:
    published = select(WarningRow.level, func.count()).where(WarningRow.published_at >= start, WarningRow.published_at < end)
    found = {row[0]: row[1] for row in session.execute(published.where(*warnings_within(session)).group_by(WarningRow.level))}
    one = WarningReceipt
    asked = select(
        func.count(),
        func.count(one.received_at),
        _number(one.received_at > one.receipt_due),
        _number(one.received_at.is_(None) & (one.receipt_due < clock.now())),
        func.count(one.feedback_at),
    ).where(one.sent_at >= start, one.sent_at < end)
    if zones_seen(session) is not None:
        asked = asked.where(one.organisation.in_(sorted(organisations_seen(session))))
    return Warnings({level: found.get(level, 0) for level in WARNING_LEVELS}, *session.execute(asked).one())


def _incidents(session: Session, start: str, end: str) -> Incidents:
    inside = (Incident.detected_at >= start, Incident.detected_at < end, Incident.drill.is_(False), *incidents_within(session))
    level = func.coalesce(func.nullif(Incident.level, 0), Incident.suggested_level)
    counted = select(level, func.count(), _number(Incident.phase != "closed")).where(*inside).group_by(level)
    rows = {str(row[0]): (row[1], row[2]) for row in session.execute(counted)}
    newest = select(Incident).where(*inside).order_by(Incident.detected_at.desc(), Incident.id.desc()).limit(MOST_INCIDENTS)
    states = [[one.state for one in clocks_of(session, row)] for row in session.execute(newest).scalars()]
    flat = [state for found in states for state in found]
    return Incidents(
        levels={name: rows.get(name, (0, 0))[0] for name in ("1", "2", "3", "4")},
        open=sum(open_ for _all, open_ in rows.values()),
        examined=len(states),
        met=flat.count("met"),
        missed=flat.count("missed") + flat.count("overdue"),
        running=flat.count("running") + flat.count("soon") + flat.count("paused"),
        times=metrics(session, start, end),
    )


def _tickets(session: Session, start: str, end: str) -> Tickets:
    late = Ticket.due_at < func.coalesce(Ticket.done_at, clock.now())
    query = select(func.count(), _number(Ticket.state == "done"), _number(late))
    inside = (Ticket.created_at >= start, Ticket.created_at < end)
    return Tickets(*session.execute(query.where(*inside, *visible_tickets(session))).one())


def _sources(session: Session, store: EventStore, bounds: tuple[str, str], before: tuple[str, str]) -> list[Source]:
    """Data sets by volume. The store names its largest SOURCES of each period."""
    query = _ours(session)
    found: list[dict[str, int]] = [
        {str(bucket.key): bucket.count for bucket in store.top(query, TimeRange(*span), "event.dataset", limit=SOURCES)}
        for span in (bounds, before)
    ]
    names = sorted({*found[0], *found[1]}, key=lambda name: (-found[0].get(name, 0), name))
    return [Source(name, found[0].get(name, 0), found[1].get(name, 0)) for name in names]


def _ours(session: Session) -> Query:
    zones = zones_seen(session)
    return parse_query("") if zones is None else Query("", concerning(zones), ())


def _number(condition: Any) -> ColumnElement[int]:
    return func.count(case((condition, 1)))
