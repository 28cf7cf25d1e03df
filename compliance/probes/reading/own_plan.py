"""Parts about what is protected: zones, conduits, the inventory."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from compliance.probes.formats.platform import DAY, MOST_NAMED
from compliance.probes.formats.platform_work import ConduitFact, Inventory, Plan, ZoneFact
from operations import clock
from operations.assets.models import AssetRow
from operations.zones import service as zones

UNHEARD_DAYS, STRANGER_DAYS = 7, 7


def plan(session: Session, now: str) -> Plan:
    """Zones and conduits in force."""
    found = [one.zone for one in zones.list_zones(session)]
    return Plan(
        tuple(
            ZoneFact(one.id, one.layer, one.owner, len(one.ranges) + len(one.vlans) + len(one.sensors), one.admission)
            for one in found
        ),
        tuple(
            ConduitFact(one.conduit.id, one.conduit.services, one.conduit.reason, one.conduit.approver, one.state)
            for one in zones.list_conduits(session)
        ),
    )


def inventory(session: Session, now: str) -> Inventory:
    """Assets by what is known of them."""
    registered = AssetRow.status == "registered"
    strict = [one.zone.id for one in zones.list_zones(session) if one.zone.admission == "registered"]
    strangers = (
        select(AssetRow.key)
        .where(AssetRow.status == "observed", AssetRow.zone.in_(strict))
        .where(AssetRow.first_seen > "", AssetRow.first_seen < clock.shift(now, -STRANGER_DAYS * DAY))
        .order_by(AssetRow.first_seen, AssetRow.id)
        .limit(MOST_NAMED)
    )

    def count(*conditions: object) -> int:
        return session.execute(select(func.count()).select_from(AssetRow).where(*conditions)).scalar_one()  # type: ignore[arg-type]

    return Inventory(
        registered=count(registered),
        observed=count(AssetRow.status == "observed"),
        unnamed=count(registered, AssetRow.bureau == ""),
        unheard=count(registered, AssetRow.last_seen < clock.shift(now, -UNHEARD_DAYS * DAY)),
        strangers=tuple(session.execute(strangers).scalars()),
    )
