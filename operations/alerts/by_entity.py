"""How many alerts are about each entity of a kind: the numbers on the zone map."""

from __future__ import annotations

from collections import Counter

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from kernel.db.among import among
from operations.alerts.listing import sample_query
from operations.alerts.models import AlertEntity
from operations.alerts.schema import AlertFilter
from operations.reach import zones_seen

SAMPLE = 5000
SAMPLE_SCOPED = 1000
"""Less for who sees some zones only: of each alert is then looked whether it names one of them."""


class EntityCounts(msgspec.Struct, frozen=True):
    """Alerts per entity and level. ``exact`` is False where only the newest (SAMPLE, SAMPLE_SCOPED) were counted."""

    counts: dict[str, dict[str, int]]
    exact: bool


def count_by_entity(session: Session, kind: str, where: AlertFilter) -> EntityCounts:
    """Count the matching alerts per value of ``kind``; an alert about two zones counts for both."""
    most = SAMPLE if zones_seen(session) is None else SAMPLE_SCOPED
    levels = {row.id: row.level for row in session.execute(sample_query(session, where, most + 1))}
    query = select(AlertEntity.value, AlertEntity.alert_id).where(AlertEntity.kind == kind, *_seen(session, kind))
    found: dict[str, Counter[str]] = {}
    for value, alert_id in session.execute(query.where(among(session, AlertEntity.alert_id, sorted(levels)))):
        found.setdefault(value, Counter())[levels[alert_id]] += 1
    return EntityCounts({value: dict(counted) for value, counted in found.items()}, len(levels) <= most)


def _seen(session: Session, kind: str) -> list[ColumnElement[bool]]:
    """An alert about two zones is seen from both, but counted for the other one only where that may be seen, too."""
    zones = zones_seen(session) if kind == "zone" else None
    return [] if zones is None else [AlertEntity.value.in_(sorted(zones))]
