"""What happened to incidents, and which of that meets a condition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from operations.incidents.models import Incident, TimelineEntry
from playbooks.triggers.conditions import IncidentCondition
from playbooks.triggers.schema import Subject

_ACTS = ("created", "phase", "decided")


def new_entries(session: Session, mark: int, until: int, limit: int) -> Sequence[Any]:
    """Number, entry of a timeline and incident of each that was made, moved or graded after ``mark``, oldest first."""
    query = (
        select(TimelineEntry.id, TimelineEntry, Incident)
        .join(Incident, Incident.id == TimelineEntry.incident_id)
        .where(TimelineEntry.id > mark, TimelineEntry.id <= until, TimelineEntry.act.in_(_ACTS))
    )
    return session.execute(query.order_by(TimelineEntry.id).limit(limit)).all()


def incidents_that_fit(rows: Sequence[Any], condition: IncidentCondition) -> list[Subject]:
    """Those of ``rows`` that meet ``condition``, in their order."""
    return [
        Subject(
            kind="incident",
            number=incident.id,
            place=number,
            key=f"incident:{incident.id}:{number}",
            entity=f"incident:{incident.id}",
            actor=entry.actor,
        )
        for number, entry, incident in rows
        if _fits(entry, incident, condition)
    ]


def _fits(entry: TimelineEntry, incident: Incident, condition: IncidentCondition) -> bool:
    if incident.merged_into is not None or (incident.drill and not condition.drills):
        return False
    if condition.zones and not set(condition.zones) & set(orjson.loads(incident.zones)):
        return False
    detail = orjson.loads(entry.detail)
    now = _grade(condition, incident, incident.class_code, incident.level)
    if entry.act == "decided":  # it counts where only the decision made it what is waited for
        before = detail.get("before", {})
        was = _grade(condition, incident, before.get("class_code", ""), before.get("level", 0))
        return incident.phase in condition.phases and now and not was
    first = "preparation" if incident.drill else "detection"
    return now and (detail.get("after") if entry.act == "phase" else first) in condition.phases


def _grade(condition: IncidentCondition, incident: Incident, class_code: str, level: int) -> bool:
    """Whether class and level ("" and 0 = undecided: then those that are suggested) are what is waited for."""
    class_code, level = class_code or incident.suggested_class, level or incident.suggested_level
    if condition.level and not 1 <= level <= condition.level:
        return False
    return not condition.classes or class_code.startswith(tuple(condition.classes))
