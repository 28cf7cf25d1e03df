"""One incident: its row, its summary, the row to change."""

from __future__ import annotations

from typing import Any

import msgspec
import orjson
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from operations.alerts.listing import row_of as alert_row
from operations.alerts.listing import within as alerts_within
from operations.alerts.models import Alert
from operations.alerts.schema import AlertRow
from operations.errors import Conflict, NotFound, Stale
from operations.incidents.grading import Suggestion
from operations.incidents.models import Incident, IncidentAlert
from operations.incidents.places import within
from operations.incidents.schema import IncidentDetail, IncidentRow
from operations.incidents.timing import clocks_of

_SAME = (
    "id", "number", "title", "drill", "severity", "phase", "cause", "class_code", "level", "suggested_class", "suggested_level",
    "operator", "assignee", "occurred_at", "detected_at", "acknowledged_at", "contained_at", "resolved_at", "closed_at",
    "reported_at", "closing_reported_at", "next_due", "merged_into", "created_at", "created_by", "updated_at", "version",
)  # fmt: skip
COLUMNS = tuple(getattr(Incident, name) for name in (*_SAME, "zones", "organisations", "pauses"))


def row_of(session: Session, row: Any, now: str = "") -> IncidentRow:
    """The record of an Incident or of a selected row of COLUMNS."""
    pauses = orjson.loads(row.pauses)
    return IncidentRow(
        **{name: getattr(row, name) for name in _SAME},
        zones=orjson.loads(row.zones),
        organisations=orjson.loads(row.organisations),
        paused=bool(pauses) and not pauses[-1][1],
        clocks=clocks_of(session, row, now),
    )


def get_incident(session: Session, incident_id: int) -> IncidentRow:
    """The row of one incident. Raises NotFound, also where it may not be seen."""
    row = session.execute(select(*COLUMNS).where(Incident.id == incident_id, *within(session))).one_or_none()
    if row is None:
        raise NotFound(f"there is no incident {incident_id}")
    return row_of(session, row)


def held(session: Session, incident_id: int, expected_version: int | None = None, *, open_: bool = True) -> Incident:
    """The row to change, locked. Raises NotFound, and Conflict where it was changed meanwhile or (``open_``) is closed."""
    get_incident(session, incident_id)  # who may not see it may not change it
    incident = session.get_one(Incident, incident_id, with_for_update=True, populate_existing=True)
    if expected_version is not None and incident.version != expected_version:
        raise Stale(
            f"incident {incident_id} was changed by somebody else (version {incident.version})", "reload it and decide again"
        )
    if open_ and incident.phase == "closed":
        raise Conflict(f"incident {incident_id} is closed", "open it again first")
    return incident


def get_detail(session: Session, incident_id: int) -> IncidentDetail:
    """The summary of one incident. Raises NotFound."""
    row = get_incident(session, incident_id)
    incident = session.get_one(Incident, incident_id)
    every, seen = alert_counts(session, incident_id)
    return IncidentDetail(
        incident=row,
        description=incident.description,
        origin=incident.origin,
        reporter=incident.reporter,
        factors=orjson.loads(incident.factors),
        decided_at=incident.decided_at,
        decided_by=incident.decided_by,
        decided_reason=incident.decided_reason,
        suggestion=msgspec.json.decode(incident.suggestion, type=Suggestion),
        pauses=orjson.loads(incident.pauses),
        alerts=seen,
        hidden_alerts=every - seen,
    )


def alert_counts(session: Session, incident_id: int) -> tuple[int, int]:
    """How many alerts the incident has, and how many of them may be seen."""
    mine = IncidentAlert.incident_id == incident_id
    every = session.execute(select(func.count()).select_from(IncidentAlert).where(mine)).scalar_one()
    if not alerts_within(session):
        return every, every
    query = select(func.count()).select_from(IncidentAlert).join(Alert, Alert.id == IncidentAlert.alert_id)
    return every, session.execute(query.where(mine, *alerts_within(session))).scalar_one()


def alerts_of(session: Session, incident_id: int, *, limit: int = 500) -> list[AlertRow]:
    """Its alerts that may be seen, newest first. Raises NotFound."""
    get_incident(session, incident_id)
    query = (
        select(*Alert.__table__.c)
        .join(IncidentAlert, IncidentAlert.alert_id == Alert.id)
        .where(IncidentAlert.incident_id == incident_id, *alerts_within(session))
        .order_by(Alert.last_seen.desc(), Alert.id.desc())
        .limit(limit)
    )
    return [alert_row(row) for row in session.execute(query)]


def incident_of_alert(session: Session, alert_id: int) -> IncidentRow | None:
    """The incident that an alert belongs to, where it may be seen."""
    query = select(*COLUMNS).join(IncidentAlert, IncidentAlert.incident_id == Incident.id)
    row = session.execute(query.where(IncidentAlert.alert_id == alert_id, *within(session))).one_or_none()
    return row_of(session, row) if row is not None else None
