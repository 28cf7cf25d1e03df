"""What is new for a trigger and meets its condition: alerts, incidents that moved, warnings that were published.

Nothing is started here, and nothing written: each subject says what it is, what throttling counts it as, and who made it.
"""

from __future__ import annotations

from typing import Any

import msgspec
import orjson
from sqlalchemy import Select, exists, select
from sqlalchemy.orm import Session

from kernel.detection import level_rank
from operations.alerts.models import SUPPRESSED, Alert, AlertEntity, AlertSample
from operations.incidents.models import Incident, TimelineEntry
from operations.warnings.models import WarningHistory, WarningRow
from playbooks.triggers.conditions import (
    AlertCondition,
    Condition,
    IncidentCondition,
    WarningCondition,
    WebhookCondition,
)

BATCH = 200
"""Rows of a source that are looked at in one round."""

_ALERT_FIELDS = ("id", "rule_id", "rule_name", "engine", "level", "count", "host", "user", "source_ip", "destination_ip", "dataset")


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that starts a playbook.

    kind, number  what it is; ``schedule`` has no number
    key           names this very occasion, once and for all
    entity        what throttling counts by, and what a playbook does not run for twice at once
    actor         who made it: ``playbook:7`` where a run did
    fields        what templates may use
    """

    kind: str
    number: int = 0
    key: str
    entity: str
    actor: str = ""
    fields: dict[str, Any] = {}


class Found(msgspec.Struct, frozen=True):
    """Subjects in order, and up to which number the source has been looked at by that."""

    subjects: list[Subject]
    mark: int


def look(session: Session, condition: Condition, mark: int, until: int) -> Found:
    """What came after ``mark``, up to ``until``, and meets the condition; at most BATCH rows are looked at."""
    match condition:
        case AlertCondition():
            return _alerts(session, _of_condition(condition), condition, mark, until)
        case WebhookCondition():
            return _alerts(session, _of_webhook(condition), condition, mark, until)
        case IncidentCondition():
            return _incidents(session, condition, mark, until)
        case WarningCondition():
            return _warnings(session, condition, mark, until)
    return Found([], until)


# -- alerts -----------------------------------------------------------------------------------------------------------------------


def _of_condition(condition: AlertCondition) -> Select[Any]:
    query = select(Alert)
    if condition.rules:
        query = query.where(Alert.rule_id.in_(condition.rules))
    if condition.level:
        query = query.where(Alert.level_rank >= level_rank(condition.level))
    if condition.datasets:
        query = query.where(Alert.dataset.in_(condition.datasets))
    if condition.zones:
        named = (AlertEntity.alert_id == Alert.id, AlertEntity.kind == "zone", AlertEntity.value.in_(condition.zones))
        query = query.where(exists().where(*named))
    return query


def _of_webhook(condition: WebhookCondition) -> Select[Any]:
    mine = Alert.rule_id.startswith(f"inbound.{condition.source}.", autoescape=True)
    query = select(Alert).where(Alert.engine == "inbound", mine)
    return query.where(Alert.level_rank >= level_rank(condition.level)) if condition.level else query


def _alerts(session: Session, query: Select[Any], condition: AlertCondition | WebhookCondition, mark: int, until: int) -> Found:
    shown = query.where(Alert.id > mark, Alert.id <= until, Alert.status != SUPPRESSED, Alert.merged_into.is_(None))
    rows = list(session.execute(shown.order_by(Alert.id).limit(BATCH)).scalars())
    patterns = condition.entities if isinstance(condition, AlertCondition) else []
    subjects = [
        Subject(
            kind="alert",
            number=row.id,
            key=f"alert:{row.id}",
            entity=_entity(row, condition.per),
            fields=_event_of(session, row.id) | {f"alert.{name}": getattr(row, name) for name in _ALERT_FIELDS},
        )
        for row in rows
        if not patterns or _names(session, row.id, condition)
    ]
    return Found(subjects, rows[-1].id if len(rows) == BATCH else until)


def _names(session: Session, alert_id: int, condition: AlertCondition | WebhookCondition) -> bool:
    patterns = condition.entities if isinstance(condition, AlertCondition) else []
    query = select(AlertEntity.kind, AlertEntity.value).where(AlertEntity.alert_id == alert_id)
    return any(one.fits(kind, value) for kind, value in session.execute(query) for one in patterns)


def _entity(row: Alert, per: str) -> str:
    """What an alert is counted as; the alert itself where it has no such thing."""
    named = {"host": row.host, "source_ip": row.source_ip, "user": row.user}
    if per == "":
        per = next((name for name, value in named.items() if value), "alert")
    value = {**named, "destination_ip": row.destination_ip, "rule": row.rule_id}.get(per)
    return f"{per}:{value}" if value else f"alert:{row.id}"


def _event_of(session: Session, alert_id: int) -> dict[str, Any]:
    sample = session.execute(select(AlertSample.event).where(AlertSample.alert_id == alert_id)).scalar_one_or_none()
    return dict(orjson.loads(sample)) if sample else {}


# -- incidents --------------------------------------------------------------------------------------------------------------------


def _incidents(session: Session, condition: IncidentCondition, mark: int, until: int) -> Found:
    query = (
        select(TimelineEntry, Incident)
        .join(Incident, Incident.id == TimelineEntry.incident_id)
        .where(TimelineEntry.id > mark, TimelineEntry.id <= until, TimelineEntry.act.in_(("created", "phase", "decided")))
        .order_by(TimelineEntry.id)
        .limit(BATCH)
    )
    rows = [(entry, incident) for entry, incident in session.execute(query)]
    subjects = [
        Subject(
            kind="incident",
            number=incident.id,
            key=f"incident:{incident.id}:{entry.id}",
            entity=f"incident:{incident.id}",
            actor=entry.actor,
            fields=_incident_fields(incident),
        )
        for entry, incident in rows
        if _meets(condition, entry, incident)
    ]
    return Found(subjects, rows[-1][0].id if len(rows) == BATCH else until)


def _meets(condition: IncidentCondition, entry: TimelineEntry, incident: Incident) -> bool:
    if incident.merged_into is not None or (incident.drill and not condition.drills):
        return False
    if condition.zones and not set(condition.zones) & set(orjson.loads(incident.zones)):
        return False
    detail = orjson.loads(entry.detail)
    graded = incident.class_code or incident.suggested_class, incident.level or incident.suggested_level
    if entry.act == "decided":  # it counts where only the decision made it what is waited for
        before = detail.get("before", {})
        was = before.get("class_code") or incident.suggested_class, before.get("level") or incident.suggested_level
        return incident.phase in condition.phases and _grade(condition, *graded) and not _grade(condition, *was)
    first = "preparation" if incident.drill else "detection"
    entered = detail.get("after") if entry.act == "phase" else first
    return entered in condition.phases and _grade(condition, *graded)


def _grade(condition: IncidentCondition, class_code: str, level: int) -> bool:
    """Whether class and level (0 = nobody knows) are what is waited for."""
    if condition.level and not 1 <= level <= condition.level:
        return False
    return not condition.classes or class_code.startswith(tuple(condition.classes))


def _incident_fields(incident: Incident) -> dict[str, Any]:
    names = ("id", "number", "title", "severity", "phase", "class_code", "level", "assignee")
    return {f"incident.{name}": getattr(incident, name) for name in names}


# -- warnings ---------------------------------------------------------------------------------------------------------------------


def _warnings(session: Session, condition: WarningCondition, mark: int, until: int) -> Found:
    query = (
        select(WarningHistory, WarningRow)
        .join(WarningRow, WarningRow.id == WarningHistory.warning_id)
        .where(WarningHistory.id > mark, WarningHistory.id <= until, WarningHistory.act.in_(("publish", "adjust")))
        .order_by(WarningHistory.id)
        .limit(BATCH)
    )
    rows = [(entry, warning) for entry, warning in session.execute(query)]
    subjects = [
        Subject(
            kind="warning",
            number=warning.id,
            key=f"warning:{warning.id}:{entry.id}",
            entity=f"warning:{warning.id}",
            actor=entry.actor,
            fields=_warning_fields(warning),
        )
        for entry, warning in rows
        if orjson.loads(entry.after).get("level") in condition.levels
        and (not condition.zones or set(condition.zones) & set(orjson.loads(warning.zones)))
    ]
    return Found(subjects, rows[-1][0].id if len(rows) == BATCH else until)


def _warning_fields(warning: WarningRow) -> dict[str, Any]:
    return {f"warning.{name}": getattr(warning, name) for name in ("id", "title", "level", "year", "number", "edition")}
