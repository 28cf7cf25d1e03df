"""Which zones hold industrial control systems: there nothing acts by itself, and two people have to agree."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from operations.assets.models import AssetRow

CONTROL_KINDS: tuple[str, ...] = ("plc", "rtu", "ied", "dcs", "controller", "hmi", "scada", "engineering-station")
"""Kinds of assets of an industrial control system (GB/T 22239-2019, 8.5; IEC 62443-1-1 levels 1 and 2)."""


def control_zones(session: Session) -> frozenset[str]:
    """Ids of the zones with a registered control system."""
    query = select(AssetRow.zone).where(AssetRow.kind.in_(CONTROL_KINDS), AssetRow.status == "registered").distinct()
    return frozenset(session.execute(query).scalars())
