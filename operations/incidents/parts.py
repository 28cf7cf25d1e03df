"""A part of an incident (task, asset, …) that somebody changes: found under its incident, locked, at the right version."""

from __future__ import annotations

from typing import TypeVar

from sqlalchemy.orm import Session

from operations.errors import NotFound, Stale
from operations.incidents.models import AffectedAsset, ImprovementAction, IncidentEvidence, IncidentReport, IncidentTask

P = TypeVar("P", AffectedAsset, ImprovementAction, IncidentEvidence, IncidentReport, IncidentTask)


def part(session: Session, kind: type[P], name: str, incident_id: int, part_id: int, expected_version: int | None) -> P:
    """The row. The caller has checked that the incident may be seen. Raises NotFound, Stale."""
    row = session.get(kind, part_id, with_for_update=True, populate_existing=True)
    if row is None or row.incident_id != incident_id:
        raise NotFound(f"incident {incident_id} has no {name} {part_id}")
    if expected_version is not None and row.version != expected_version:
        raise Stale(f"{name} {part_id} was changed by somebody else (version {row.version})", "reload it and decide again")
    return row
