"""The events of an incident's alerts as bytes to be sealed: one JSON object a line, the first one says what the rest is."""

from __future__ import annotations

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from kernel.event import Event
from kernel.query import parse_query
from kernel.store.contract import EventStore, TimeRange
from operations import clock
from operations.alerts.listing import within as alerts_within
from operations.alerts.models import Alert, AlertDetection
from operations.alerts.reading import get_detail
from operations.errors import Invalid
from operations.incidents.models import IncidentAlert
from operations.incidents.reading import get_incident

MOST_EVENTS = 2000
_AT_ONCE = 100


def collect(session: Session, store: EventStore, incident_id: int) -> tuple[bytes, int, int]:
    """The payload, how many events are in it, and how many alerts it holds no event of. Raises NotFound, Invalid (no alert).

    Events that the store does not have any more are represented by the first event that their alert keeps.
    """
    incident = get_incident(session, incident_id)
    query = select(Alert.id, Alert.first_seen, Alert.last_seen).join(IncidentAlert, IncidentAlert.alert_id == Alert.id)
    alerts = session.execute(
        query.where(IncidentAlert.incident_id == incident_id, *alerts_within(session)).order_by(Alert.id)
    ).all()
    if not alerts:
        raise Invalid("the incident has no alert whose events could be sealed", field="alerts")
    owner = _events_of(session, [row.id for row in alerts])
    wanted = list(owner)[:MOST_EVENTS]
    window = TimeRange(
        clock.shift(min(row.first_seen for row in alerts), -3600), clock.shift(max(row.last_seen for row in alerts), 3600)
    )
    found = _stored(store, wanted, window)
    having = {owner[str(event["event.id"])] for event in found}
    for row in alerts:
        if row.id not in having:
            kept = dict(get_detail(session, row.id).event)
            if kept:
                found.append(kept)
                having.add(row.id)
    found.sort(key=lambda event: str(event.get("@timestamp", "")))
    head = {"incident": incident.number, "collected_at": clock.now(), "alerts": [row.id for row in alerts], "events": len(found)}
    lines = [orjson.dumps(each) for each in (head, *found)]
    return b"\n".join(lines) + b"\n", len(found), len(alerts) - len(having)


def _events_of(session: Session, alert_ids: list[int]) -> dict[str, int]:
    """Event id → alert, the newest detections first."""
    query = select(AlertDetection.alert_id, AlertDetection.event_ids).where(AlertDetection.alert_id.in_(alert_ids))
    found: dict[str, int] = {}
    for row in session.execute(query.order_by(AlertDetection.time.desc()).limit(MOST_EVENTS)):
        for event_id in row.event_ids.split():
            found.setdefault(event_id, row.alert_id)
    return found


def _stored(store: EventStore, wanted: list[str], window: TimeRange) -> list[Event]:
    found: list[Event] = []
    for start in range(0, len(wanted), _AT_ONCE):
        ids = [one for one in wanted[start : start + _AT_ONCE] if one.isalnum()]
        if ids:
            query = parse_query(f"event.id:({' OR '.join(ids)})")
            found += store.search(query, window, limit=len(ids), fields=["*"]).events
    known = set(wanted)
    return [event for event in found if str(event.get("event.id")) in known]
