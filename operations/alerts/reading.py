"""One alert: its row, its page, its detections, and its relatives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import orjson
from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from kernel.detection import MatchedField
from operations.alerts.listing import among, list_alerts, row_of, within
from operations.alerts.models import Alert, AlertDetection, AlertEntity, AlertHistory, AlertSample
from operations.alerts.schema import (
    AlertDetail,
    AlertFilter,
    AlertRow,
    DetectionPage,
    DetectionRow,
    Entity,
    HistoryEntry,
)
from operations.errors import Invalid, NotFound

RECENT = 100
"""So many of the alerts made last are looked at for the newest ones of an entity."""


def get_alert(session: Session, alert_id: int) -> AlertRow:
    """The row of one alert. Raises NotFound."""
    row = session.execute(select(*Alert.__table__.c).where(Alert.id == alert_id, *within(session))).one_or_none()
    if row is None:
        raise NotFound(f"there is no alert {alert_id}")
    return row_of(row)


def get_alerts(session: Session, alert_ids: Sequence[int]) -> list[AlertRow]:
    """The rows of those that may be seen, by id."""
    query = select(*Alert.__table__.c).where(among(session, sorted(set(alert_ids))), *within(session)).order_by(Alert.id)
    return [row_of(row) for row in session.execute(query)]


def get_detail(session: Session, alert_id: int) -> AlertDetail:
    """Everything about one alert. Raises NotFound."""
    alert = get_alert(session, alert_id)
    sample = session.get(AlertSample, alert_id)
    rule: dict[str, Any] = orjson.loads(sample.rule) if sample else {}
    entities = select(AlertEntity).where(AlertEntity.alert_id == alert_id).order_by(AlertEntity.kind, AlertEntity.value)
    return AlertDetail(
        alert=alert,
        event=orjson.loads(sample.event) if sample else {},
        matched=[msgspec.convert(match, MatchedField) for match in rule.get("matched", [])],
        description=rule.get("description", ""),
        author=rule.get("author", ""),
        references=rule.get("references", []),
        falsepositives=rule.get("falsepositives", []),
        rule_file=rule.get("rule_file", ""),
        group=rule.get("group", {}),
        entities=[Entity(row.kind, row.value, row.role) for row in session.execute(entities).scalars()],
        history=history(session, alert_id),
    )


def history(session: Session, alert_id: int, *, limit: int = 500) -> list[HistoryEntry]:
    """Changes and notes, newest first."""
    query = select(AlertHistory).where(AlertHistory.alert_id == alert_id).order_by(AlertHistory.id.desc()).limit(limit)
    return [
        HistoryEntry(row.id, row.time, row.actor, row.kind, orjson.loads(row.before), orjson.loads(row.after), row.note, row.batch)
        for row in session.execute(query).scalars()
    ]


def list_detections(session: Session, alert_id: int, *, limit: int = 50, cursor: str = "") -> DetectionPage:
    """The detections counted in an alert, newest first."""
    query = (
        select(AlertDetection)
        .join(Alert, Alert.id == AlertDetection.alert_id)
        .where(AlertDetection.alert_id == alert_id, *within(session))
        .order_by(AlertDetection.time.desc(), AlertDetection.id.desc())
        .limit(limit + 1)
    )
    if cursor:
        time, _, key = cursor.partition("~")
        if not key:
            raise Invalid("the page cursor cannot be read", field="cursor")
        query = query.where(tuple_(AlertDetection.time, AlertDetection.id) < tuple_(time, key))
    rows = list(session.execute(query).scalars())
    more = len(rows) > limit
    page = [DetectionRow(row.id, row.time, row.event_ids.split(" ") if row.event_ids else []) for row in rows[:limit]]
    return DetectionPage(page, f"{page[-1].time}~{page[-1].id}" if more else "")


def related(session: Session, alert: AlertRow, entity: Entity | None = None, *, limit: int = 10) -> list[AlertRow]:
    """Other alerts of the same entity, or of the same rule where no entity is given; newest first.

    Of an entity that thousands of alerts name, the RECENT made last are looked at.
    """
    if entity is None:
        found = list_alerts(session, AlertFilter(rule=(alert.rule_id,)), limit=limit + 1).alerts
    else:
        named = select(AlertEntity.alert_id).where(AlertEntity.kind == entity.kind, AlertEntity.value == entity.value)
        recent = named.order_by(AlertEntity.alert_id.desc()).limit(RECENT).subquery()
        newest = select(Alert.__table__).where(Alert.id.in_(select(recent.c.alert_id)), *within(session))
        found = [row_of(row) for row in session.execute(newest.order_by(Alert.last_seen.desc(), Alert.id.desc()).limit(limit + 1))]
    return [other for other in found if other.id != alert.id][:limit]
