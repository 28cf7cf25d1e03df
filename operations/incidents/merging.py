"""Merging two incidents: everything of one moves into the other; the emptied one is closed as a duplicate that names it."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from kernel.detection import level_rank
from operations import clock
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.errors import Conflict, Invalid
from operations.incidents import announce, places
from operations.incidents.linking import regrade, touch
from operations.incidents.models import (
    AffectedAsset,
    Incident,
    IncidentAlert,
    IncidentEvidence,
    IncidentIndicator,
    IncidentTask,
    TimelineEntry,
)
from operations.incidents.reading import get_incident, held
from operations.incidents.schema import IncidentRow
from operations.incidents.timeline import tell


def merge(session: Session, actor: Actor, into_id: int, from_id: int, *, expected_version: int | None = None) -> IncidentRow:
    """Move everything but issued reports of ``from_id`` into ``into_id``. Raises NotFound, Conflict, Invalid.

    Issued reports stay with the incident that they name. A drill and a real incident are never one; neither is one that the actor
    sees in part only.
    """
    target = held(session, into_id, expected_version)
    if into_id == from_id:
        raise Invalid("an incident is not merged into itself", field="other")
    gone = held(session, from_id)
    if target.drill != gone.drill:
        raise Invalid("a drill and an incident are not merged", field="other")
    if not places.covers(session, [*orjson.loads(target.zones), *orjson.loads(gone.zones)]):
        raise Conflict("one of the incidents concerns zones that you may not see", "ask somebody without a scope")
    for table in (IncidentAlert, IncidentTask, TimelineEntry, IncidentEvidence):
        session.execute(update(table).where(table.incident_id == from_id).values(incident_id=into_id))
    _move_distinct(session, IncidentIndicator, ("kind", "value"), into_id, from_id)
    _move_distinct(session, AffectedAsset, ("kind", "name"), into_id, from_id)
    _join(session, target, gone)
    now = clock.now()
    gone.phase, gone.cause, gone.closed_at, gone.merged_into = "closed", "duplicate", now, into_id
    session.flush()
    for incident in (target, gone):
        regrade(session, incident)
        touch(session, incident)
    tell(session, actor, into_id, "merged", {"number": gone.number, "id": from_id})
    tell(session, actor, from_id, "merged_into", {"number": target.number, "id": into_id})
    audit.append(session, actor, "incident.merge", "incident", into_id, detail={"from": from_id, "number": gone.number})
    announce.tell_targets(session, announce.MERGED, target, merged=gone.number)
    session.flush()
    return get_incident(session, into_id)


def _join(session: Session, target: Incident, gone: Incident) -> None:
    zones, organisations = orjson.loads(target.zones), orjson.loads(target.organisations)
    more_zones = [zone for zone in orjson.loads(gone.zones) if zone not in zones]
    more_organisations = [name for name in orjson.loads(gone.organisations) if name not in organisations]
    places.set_places(session, target, [*zones, *more_zones], [*organisations, *more_organisations])
    occurred = [moment for moment in (target.occurred_at, gone.occurred_at) if moment]
    target.occurred_at = min(occurred, default="")
    target.detected_at = min(target.detected_at, gone.detected_at)
    if level_rank(gone.severity) > level_rank(target.severity):
        target.severity = gone.severity


def _move_distinct(session: Session, table: Any, fields: tuple[str, ...], into_id: int, from_id: int) -> None:
    """Move rows that the target has not yet; the others are the same and go."""
    columns = [getattr(table, field) for field in fields]
    there = {tuple(row) for row in session.execute(select(*columns).where(table.incident_id == into_id))}
    rows = session.execute(select(table.id, *columns).where(table.incident_id == from_id)).all()
    same = [row[0] for row in rows if tuple(row[1:]) in there]
    session.execute(delete(table).where(table.id.in_(same)))
    session.execute(update(table).where(table.incident_id == from_id).values(incident_id=into_id))
