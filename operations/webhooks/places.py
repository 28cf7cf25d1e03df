"""Which zones and organisations a message concerns: said by its data, known of an alert, or owned."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from operations.alerts.models import AlertEntity
from operations.zones.models import ZoneRow


def places_of(session: Session, event_type: str, data: Mapping[str, Any]) -> tuple[frozenset[str], frozenset[str]]:
    """Ids of the zones, and names of the organisations (those named, and the owners of the zones)."""
    zones = {str(zone) for zone in data.get("zones") or ()}
    if event_type.startswith("alert.") and isinstance(data.get("id"), int):
        query = select(AlertEntity.value).where(AlertEntity.alert_id == data["id"], AlertEntity.kind == "zone")
        zones.update(session.execute(query).scalars())
    named = {str(one) for one in data.get("organisations") or ()} | {
        str(data[name]) for name in ("organisation", "bureau") if data.get(name)
    }
    if zones:
        named.update(session.execute(select(ZoneRow.owner).where(ZoneRow.id.in_(sorted(zones)), ZoneRow.owner != "")).scalars())
    return frozenset(zones), frozenset(named)
