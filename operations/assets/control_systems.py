"""Which zones hold industrial control systems: there nothing acts by itself, and two people have to agree.

Such a zone is one of the perception layer (智能交互层: sensors, actuators, plants), or one in which a control system is registered.
"""

from __future__ import annotations

from sqlalchemy import select, union
from sqlalchemy.orm import Session

from operations.assets.models import AssetRow
from operations.zones.models import ZoneRow

FIELD_LAYER = "perception"
CONTROL_KINDS: tuple[str, ...] = ("plc", "rtu", "ied", "dcs", "controller", "hmi", "scada", "engineering-station")
"""Kinds of assets of an industrial control system (GB/T 22239-2019, 8.5; IEC 62443-1-1 levels 1 and 2)."""


def control_zones(session: Session) -> frozenset[str]:
    """Ids of these zones."""
    registered = select(AssetRow.zone).where(AssetRow.kind.in_(CONTROL_KINDS), AssetRow.status == "registered")
    field = select(ZoneRow.id).where(ZoneRow.layer == FIELD_LAYER)
    return frozenset(session.execute(union(registered, field)).scalars())
