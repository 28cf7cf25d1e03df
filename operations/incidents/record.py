"""Making an incident: from alerts, or by hand (hotline, a bureau's report, a notice, a drill)."""

from __future__ import annotations

import orjson
from sqlalchemy.orm import Session

from kernel.detection import LEVELS
from operations import clock
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.errors import Invalid
from operations.incidents import announce, places
from operations.incidents.change import choice
from operations.incidents.linking import attach, regrade
from operations.incidents.models import OPERATORS, ORIGINS, Incident
from operations.incidents.numbering import DRILL, INCIDENT, next_number
from operations.incidents.people import check_assignee
from operations.incidents.reading import get_incident
from operations.incidents.schema import IncidentRow, NewIncident
from operations.incidents.texts import LONG, TITLE, line, moment, text
from operations.incidents.timeline import tell
from operations.incidents.timing import refresh
from operations.reach import zones_seen


def create_incident(session: Session, actor: Actor, wanted: NewIncident) -> IncidentRow:
    """Make an incident. Raises Invalid, NotFound (an alert), Conflict (an alert of another incident).

    Somebody with a scope has to name a zone of theirs, itself or through alerts: they could not see it otherwise.
    """
    now = clock.now()
    detected, occurred = (
        moment(wanted.detected_at, "detected_at", past=True) or now,
        moment(wanted.occurred_at, "occurred_at", past=True),
    )
    if occurred and occurred > detected:
        raise Invalid("an incident is not detected before it occurs", field="detected_at")
    organisations = places.check_organisations(wanted.organisations)
    zones = places.check_zones(session, wanted.zones) or ([] if wanted.alert_ids else places.owned(session, organisations))
    incident = Incident(
        number="",
        title=line(wanted.title, "title", TITLE, needed=True),
        description=text(wanted.description, "description", LONG),
        origin=choice(wanted.origin, ORIGINS, "origin"),
        reporter=line(wanted.reporter, "reporter", TITLE),
        drill=wanted.drill,
        severity=choice(wanted.severity, LEVELS, "severity"),
        phase="detection",
        cause="",
        class_code="",
        level=0,
        factors="{}",
        decided_at="",
        decided_by="",
        decided_reason="",
        suggested_class="",
        suggested_level=4,
        suggestion="{}",
        operator=choice(wanted.operator, OPERATORS, "operator"),
        assignee=check_assignee(session, wanted.assignee),
        occurred_at=occurred,
        detected_at=detected,
        acknowledged_at=now if wanted.assignee else "",
        **dict.fromkeys(
            ("contained_at", "resolved_at", "closed_at", "reported_at", "closing_reported_at", "next_due", "remind_at"), ""
        ),
        pauses="[]",
        zones="[]",
        organisations="[]",
        merged_into=None,
        created_at=now,
        created_by=actor.name[:160],
        updated_at=now,
        version=1,
    )
    incident.number = next_number(session, DRILL if wanted.drill else INCIDENT)
    session.add(incident)
    session.flush()
    owners = [name for name in places.owners(session, zones) if name not in organisations]
    places.set_places(session, incident, zones, [*organisations, *owners])
    alerts = attach(session, actor, incident, wanted.alert_ids) if wanted.alert_ids else []
    if not alerts:
        regrade(session, incident)
    session.flush()
    if zones_seen(session) is not None and not _visible(session, incident):
        raise Invalid("name a zone that you may see", field="zones")
    refresh(session, incident)
    tell(session, actor, incident.id, "created", {"origin": incident.origin, "alerts": len(alerts)})
    detail = {"number": incident.number, "title": incident.title, "drill": incident.drill, "alerts": alerts}
    audit.append(session, actor, "incident.create", "incident", incident.id, detail=detail)
    announce.tell_targets(session, announce.CREATED, incident)
    return get_incident(session, incident.id)


def _visible(session: Session, incident: Incident) -> bool:
    seen = zones_seen(session) or frozenset()
    return bool(seen & set(orjson.loads(incident.zones)))
