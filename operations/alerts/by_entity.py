"""How many alerts are about each entity of a kind: the numbers on the zone map."""

from __future__ import annotations

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from operations.alerts.listing import sample_query
from operations.alerts.models import AlertEntity
from operations.alerts.schema import AlertFilter
from operations.reach import zones_seen

SAMPLE = 5000


class EntityCounts(msgspec.Struct, frozen=True):
    """Alerts per entity and level. ``exact`` is False where only the newest SAMPLE matching alerts were counted."""

    counts: dict[str, dict[str, int]]
    exact: bool


def count_by_entity(session: Session, kind: str, where: AlertFilter) -> EntityCounts:
    """Count the matching alerts per value of ``kind``; an alert about two zones counts for both."""
    sample = sample_query(session, where, SAMPLE + 1).subquery()
    size = session.execute(select(func.count()).select_from(sample)).scalar_one()
    query = (
        select(AlertEntity.value, sample.c.level, func.count())
        .join(sample, sample.c.id == AlertEntity.alert_id)
        .where(AlertEntity.kind == kind, *_seen(session, kind))
        .group_by(AlertEntity.value, sample.c.level)
    )
    found: dict[str, dict[str, int]] = {}
    for value, level, number in session.execute(query):
        found.setdefault(value, {})[level] = number
    return EntityCounts(found, size <= SAMPLE)


def _seen(session: Session, kind: str) -> list[ColumnElement[bool]]:
    """An alert about two zones is seen from both, but counted for the other one only where that may be seen, too."""
    zones = zones_seen(session) if kind == "zone" else None
    return [] if zones is None else [AlertEntity.value.in_(sorted(zones))]
