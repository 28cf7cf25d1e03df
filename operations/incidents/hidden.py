"""How many incidents a session may not see.

Counting them takes longer than the page of a list. The number changes only by an act of PLACING, each of which leaves an entry in
the audit trail, and entries appear in their order: while the last of these entries is the same, the number is.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from operations.audit.models import AuditEntry
from operations.incidents.models import Incident, IncidentZone
from operations.reach import zones_seen

PLACING = ("incident.create", "incident.change", "incident.merge", "incident.add_alerts")
"""Acts in which an incident begins or its zones change; no other calls places.set_places."""
MOST_SCOPES = 1000
_LAST = select(
    *(select(func.max(AuditEntry.id)).where(AuditEntry.action == action).scalar_subquery().label(action) for action in PLACING)
)


def hidden(session: Session) -> int:
    """How many incidents this session may not see."""
    zones = zones_seen(session)
    if zones is None:
        return 0
    known: dict[Any, int] = session.info.get("snapshot", {})
    if "incidents_hidden" not in known:
        known["incidents_hidden"] = _kept(session, zones)
    return known["incidents_hidden"]


def _kept(session: Session, zones: frozenset[str]) -> int:
    kept: dict[Any, tuple[tuple[Any, ...], int]] | None = session.info.get("kept")
    if kept is None:  # a write session sees what it has not told the trail yet
        return _counted(session, zones)
    last = tuple(session.execute(_LAST).one())
    place = ("incidents_hidden", zones)
    before = kept.get(place)
    if before is None or before[0] != last:
        if len(kept) >= MOST_SCOPES:
            kept.clear()
        kept[place] = before = (last, _counted(session, zones))
    return before[1]


def _counted(session: Session, zones: frozenset[str]) -> int:
    every = session.execute(select(func.count()).select_from(Incident)).scalar_one()
    named = select(IncidentZone.incident_id).where(IncidentZone.zone.in_(sorted(zones))).distinct()
    return every - session.execute(select(func.count()).select_from(named.subquery())).scalar_one()
