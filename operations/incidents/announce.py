"""What other systems are told of incidents, through the webhook outbox (docs/webhooks.md)."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy.orm import Session

from operations.incidents.models import Incident
from operations.webhooks.outbox import announce

CREATED = "incident.created"
DECIDED = "incident.decided"
PHASE = "incident.phase"
MERGED = "incident.merged"
DUE_SOON = "incident.due_soon"
OVERDUE = "incident.overdue"
REPORT = "incident.report_issued"


def tell_targets(session: Session, event_type: str, incident: Incident, **more: Any) -> None:
    """Queue a message about the incident; its severity decides which targets get it. No free text goes out but the title."""
    names = ("id", "number", "title", "drill", "severity", "phase", "class_code", "level", "assignee", "detected_at", "next_due")
    shown = {name: getattr(incident, name) for name in names}
    places = {"zones": orjson.loads(incident.zones), "organisations": orjson.loads(incident.organisations)}
    announce(session, event_type, {**shown, **places, **more}, level=incident.severity)
