"""Which zones and organisations an incident concerns, and who may therefore see it (operations.reach).

An incident is seen by everybody without a scope and by those of whose zones it names one. An organisation that is named without any
zone stands for the zones it owns at that moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import orjson
from sqlalchemy import ColumnElement, delete, exists, insert, select
from sqlalchemy.orm import Session, aliased

from kernel.zones.plan import BUILT_IN
from operations.alerts.models import AlertEntity
from operations.assets.models import AssetRow
from operations.errors import Invalid
from operations.incidents.grading import Place
from operations.incidents.models import Incident, IncidentZone
from operations.incidents.texts import SHORT, line
from operations.reach import sees, zones_seen
from operations.zones.models import ZoneRow

MOST = 64


def within(session: Session) -> list[ColumnElement[bool]]:
    """Condition on Incident: only what this session may see; none for who may see all."""
    seen = zones_seen(session)
    if seen is None:
        return []
    named = aliased(IncidentZone)  # its own name, so that a query over incident_zones can have the condition too
    return [exists().where(named.incident_id == Incident.id, named.zone.in_(sorted(seen)))]


def covers(session: Session, zones: Iterable[str]) -> bool:
    """True where all these zones may be seen: what holds content of many zones is given whole or not at all."""
    seen = zones_seen(session)
    return seen is None or set(zones) <= seen


def check_zones(session: Session, zones: Sequence[str]) -> list[str]:
    """Each once. Raises Invalid for a zone that the plan does not know or this session may not see."""
    wanted = list(dict.fromkeys(zone.strip() for zone in zones if zone.strip()))
    if len(wanted) > MOST:
        raise Invalid(f"at most {MOST} zones", field="zones")
    known = set(session.execute(select(ZoneRow.id).where(ZoneRow.id.in_(wanted))).scalars())
    for zone in wanted:
        if zone not in known or not sees(session, zone):
            raise Invalid(f"the zone plan does not know {zone[:64]!r}", "see the zone map", field="zones")
    return wanted


def check_organisations(organisations: Sequence[str]) -> list[str]:
    """Each once, one line. Raises Invalid."""
    wanted = list(dict.fromkeys(found for name in organisations if (found := line(name, "organisations", SHORT))))
    if len(wanted) > MOST:
        raise Invalid(f"at most {MOST} organisations", field="organisations")
    return wanted


def owned(session: Session, organisations: Sequence[str]) -> list[str]:
    """Zones that these organisations own and that may be seen."""
    query = select(ZoneRow.id).where(ZoneRow.owner.in_(organisations)).order_by(ZoneRow.id)
    return [zone for zone in session.execute(query).scalars() if sees(session, zone)]


def owners(session: Session, zones: Sequence[str]) -> list[str]:
    """Organisations that own these zones."""
    query = select(ZoneRow.owner).where(ZoneRow.id.in_(zones), ZoneRow.owner != "").order_by(ZoneRow.id)
    return list(dict.fromkeys(session.execute(query).scalars()))


def zones_of_alerts(session: Session, alert_ids: Sequence[int]) -> list[str]:
    """Zones of the plan that these alerts name."""
    query = select(AlertEntity.value).where(AlertEntity.alert_id.in_(alert_ids), AlertEntity.kind == "zone").distinct()
    named = sorted(set(session.execute(query).scalars()) - BUILT_IN)
    return list(session.execute(select(ZoneRow.id).where(ZoneRow.id.in_(named)).order_by(ZoneRow.id)).scalars())


def set_places(session: Session, incident: Incident, zones: Sequence[str], organisations: Sequence[str]) -> None:
    """Write both lists, in the row and for filtering."""
    incident.zones = orjson.dumps(list(zones)).decode()
    incident.organisations = orjson.dumps(list(organisations)).decode()
    session.flush()
    session.execute(delete(IncidentZone).where(IncidentZone.incident_id == incident.id))
    if zones:
        named = [{"zone": zone, "incident_id": incident.id, "created_at": incident.created_at} for zone in zones]
        session.execute(insert(IncidentZone), named)


def importance(session: Session, zones: Sequence[str], asset_keys: Sequence[str]) -> list[Place]:
    """Zones and assets with their importance, for the grading."""
    rows = session.execute(select(ZoneRow.id, ZoneRow.importance).where(ZoneRow.id.in_(list(zones)))).all()
    found = [Place("zone", row.id, row.importance) for row in rows]
    keys = list(asset_keys)[:500]
    assets = session.execute(select(AssetRow.key, AssetRow.importance).where(AssetRow.key.in_(keys), AssetRow.importance > 0)).all()
    return found + [Place("asset", row.key, row.importance) for row in assets]
