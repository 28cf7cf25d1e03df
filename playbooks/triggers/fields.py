"""Fields that the texts of a trigger may use: of the event behind an alert, and of the alert, incident or warning itself."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from operations.alerts.models import Alert, AlertSample
from operations.incidents.models import Incident
from operations.warnings.models import WarningRow
from playbooks.triggers.schema import Subject

_ALERT = ("id", "rule_id", "rule_name", "engine", "level", "count", "host", "user", "source_ip", "destination_ip", "dataset")
_INCIDENT = ("id", "number", "title", "severity", "phase", "class_code", "level", "assignee")
_WARNING = ("id", "title", "level", "year", "number", "edition")


def fields_of(session: Session, subject: Subject) -> dict[str, Any]:
    """Field → value; what an event says of ``alert.…`` itself does not count."""
    if subject.kind == "alert":
        return _event(session, subject.number) | _named("alert", session.get(Alert, subject.number), _ALERT)
    if subject.kind == "incident":
        return _named("incident", session.get(Incident, subject.number), _INCIDENT)
    if subject.kind == "warning":
        return _named("warning", session.get(WarningRow, subject.number), _WARNING)
    return {"schedule.due": subject.due}


def _event(session: Session, alert_id: int) -> dict[str, Any]:
    sample = session.execute(select(AlertSample.event).where(AlertSample.alert_id == alert_id)).scalar_one_or_none()
    return dict(orjson.loads(sample)) if sample else {}


def _named(kind: str, row: object | None, names: tuple[str, ...]) -> dict[str, Any]:
    return {f"{kind}.{name}": getattr(row, name, None) for name in names}
