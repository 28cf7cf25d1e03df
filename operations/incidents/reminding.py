"""Reminders of clocks that are due soon or overdue: each once, through the webhook outbox, in one transaction with its record.

The scheduler calls :func:`remind`. ``remind_at`` says when an incident has to be looked at; that a reminder went out stands in
``incident_reminders``, whose primary key is incident, clock, deadline and kind. A deadline that a pause moves is a new one.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from kernel.db import Database
from operations import clock
from operations.audit.schema import SYSTEM
from operations.incidents import announce
from operations.incidents.clocks import next_change, next_due, reminders
from operations.incidents.models import Incident, IncidentReminder
from operations.incidents.timeline import tell
from operations.incidents.timing import clocks_of

MOST = 200
_EVENTS = {"soon": announce.DUE_SOON, "overdue": announce.OVERDUE}


def remind(database: Database) -> int:
    """Send what is due; returns how many reminders went out."""
    now = clock.now()
    with database.read() as session:
        query = select(Incident.id).where(Incident.remind_at != "", Incident.remind_at <= now).order_by(Incident.remind_at)
        due = list(session.execute(query.limit(MOST)).scalars())
    sent = 0
    for incident_id in due:
        with database.write() as session:
            sent += _remind(session, incident_id, now)
    return sent


def _remind(session: Session, incident_id: int, now: str) -> int:
    incident = session.get(Incident, incident_id, with_for_update=True, populate_existing=True)
    if incident is None or not incident.remind_at or incident.remind_at > now:
        return 0  # another scheduler was quicker
    found = clocks_of(session, incident, now)
    sent = 0
    for one, kind in reminders(found):
        key = (incident_id, one.key, one.due, kind)
        if session.get(IncidentReminder, key) is not None:
            continue
        session.add(IncidentReminder(incident_id=incident_id, clock=one.key, due=one.due, kind=kind, sent_at=now))
        told = {"clock": one.key, "due": one.due, "statutory": one.statutory}
        tell(session, SYSTEM, incident_id, kind, told)
        announce.tell_targets(session, _EVENTS[kind], incident, **told)
        sent += 1
    incident.remind_at, incident.next_due = next_change(found, now), next_due(found)
    session.flush()
    return sent
