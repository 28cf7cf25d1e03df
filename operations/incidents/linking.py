"""Alerts of an incident: adding, taking away, and what follows from them (places, severity, suggestion, indicators, assets)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import orjson
from sqlalchemy import delete, insert, select
from sqlalchemy.orm import Session

from kernel.detection import level_rank
from operations import clock
from operations.alerts.listing import within as alerts_within
from operations.alerts.models import Alert
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.errors import Conflict, Invalid, NotFound
from operations.incidents import affected, grading, indicators, places
from operations.incidents.models import AffectedAsset, Incident, IncidentAlert
from operations.incidents.reading import get_incident, held
from operations.incidents.schema import IncidentRow
from operations.incidents.timeline import add, tell
from operations.incidents.timing import refresh

MAX_ALERTS = 1000


def add_alerts(
    session: Session, actor: Actor, incident_id: int, alert_ids: Sequence[int], *, expected_version: int | None = None
) -> IncidentRow:
    """Add alerts (those that it has already stay). Raises NotFound, Invalid, and Conflict for one of another incident."""
    incident = held(session, incident_id, expected_version)
    added = attach(session, actor, incident, alert_ids)
    if added:
        touch(session, incident)
        tell(session, actor, incident_id, "alerts_added", {"count": len(added)})
        audit.append(session, actor, "incident.add_alerts", "incident", incident_id, detail={"alerts": added})
    session.flush()
    return get_incident(session, incident_id)


def remove_alert(
    session: Session, actor: Actor, incident_id: int, alert_id: int, *, expected_version: int | None = None
) -> IncidentRow:
    """Take an alert out again. What it brought (timeline, indicators) stays: people may have worked with it. Raises NotFound."""
    incident = held(session, incident_id, expected_version)
    seen = select(Alert.id).where(Alert.id == alert_id, *alerts_within(session))
    gone = delete(IncidentAlert).where(
        IncidentAlert.incident_id == incident_id, IncidentAlert.alert_id == alert_id, IncidentAlert.alert_id.in_(seen)
    )
    if not session.execute(gone).rowcount:  # type: ignore[attr-defined]
        raise NotFound(f"incident {incident_id} has no alert {alert_id}")
    regrade(session, incident)
    touch(session, incident)
    tell(session, actor, incident_id, "alert_removed", {"alert": alert_id})
    audit.append(session, actor, "incident.remove_alert", "incident", incident_id, detail={"alert": alert_id})
    session.flush()
    return get_incident(session, incident_id)


def attach(session: Session, actor: Actor, incident: Incident, alert_ids: Sequence[int]) -> list[int]:
    """Add alerts to a held incident with all that follows; returns those that are new in it."""
    wanted = sorted(set(alert_ids))
    if len(wanted) > MAX_ALERTS:
        raise Invalid(f"at most {MAX_ALERTS} alerts at once", field="alerts")
    query = select(Alert).where(Alert.id.in_(wanted), *alerts_within(session)).order_by(Alert.id)
    alerts = list(session.execute(query).scalars())
    missing = sorted(set(wanted) - {alert.id for alert in alerts})
    if missing:
        raise NotFound(f"there is no alert {missing[0]}")
    taken = session.execute(
        select(IncidentAlert.alert_id, IncidentAlert.incident_id).where(IncidentAlert.alert_id.in_(wanted))
    ).all()
    others = [row for row in taken if row.incident_id != incident.id]
    if others:
        raise Conflict(f"alert {others[0].alert_id} belongs to another incident", "merge the incidents, or take it out there first")
    new = [alert for alert in alerts if alert.id not in {row.alert_id for row in taken}]
    if not new:
        return []
    ids, now = [alert.id for alert in new], clock.now()
    rows = [{"alert_id": key, "incident_id": incident.id, "added_at": now, "added_by": actor.name[:160]} for key in ids]
    session.execute(insert(IncidentAlert), rows)
    for alert in new:
        told = {"rule": alert.rule_id, "name": alert.rule_name, "level": alert.level, "host": alert.host or alert.source_ip or ""}
        add(session, actor, incident.id, "alert", alert.first_seen, detail=told, alert_id=alert.id, recorded_at=now)
    _widen(session, incident, ids)
    _earlier(incident, min(alert.first_seen for alert in new))
    worst = max((alert.level for alert in new), key=level_rank)
    if level_rank(worst) > level_rank(incident.severity):
        incident.severity = worst
    indicators.from_alerts(session, actor, incident.id, ids)
    affected.from_alerts(session, actor, incident.id, ids)
    regrade(session, incident)
    return ids


def regrade(session: Session, incident: Incident) -> None:
    """Suggest class and level anew from the alerts and places as they are."""
    query = select(Alert).join(IncidentAlert, IncidentAlert.alert_id == Alert.id).where(IncidentAlert.incident_id == incident.id)
    alerts = [
        grading.AlertFacts(row.id, row.rule_id, row.rule_name, row.engine, row.level, tuple(orjson.loads(row.tags)))
        for row in session.execute(query.order_by(Alert.id).limit(5000)).scalars()
    ]
    assets = select(AffectedAsset.name).where(AffectedAsset.incident_id == incident.id, AffectedAsset.kind == "asset")
    keys = list(session.execute(assets).scalars())
    found = grading.suggest(alerts, places.importance(session, orjson.loads(incident.zones), keys), incident.severity)
    incident.suggested_class, incident.suggested_level = found.class_code, found.level
    incident.suggestion = msgspec.json.encode(found).decode()


def touch(session: Session, incident: Incident) -> None:
    """A person changed the incident: next version, clocks brought up to date."""
    incident.version += 1
    incident.updated_at = clock.now()
    refresh(session, incident)


def _widen(session: Session, incident: Incident, alert_ids: Sequence[int]) -> None:
    """Zones of the alerts, and who owns them, are concerned too."""
    zones, organisations = orjson.loads(incident.zones), orjson.loads(incident.organisations)
    more = [zone for zone in places.zones_of_alerts(session, alert_ids) if zone not in zones]
    if more:
        owners = [name for name in places.owners(session, more) if name not in organisations]
        places.set_places(session, incident, [*zones, *more], [*organisations, *owners])


def _earlier(incident: Incident, first_seen: str) -> None:
    """The incident began no later than what its alerts saw first."""
    if not incident.occurred_at or first_seen < incident.occurred_at:
        incident.occurred_at = first_seen
