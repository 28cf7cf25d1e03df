"""Devices and services that suffer, by the city layer they belong to. Alerts name devices; people name services."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from kernel.zones.model import LAYERS
from operations import clock
from operations.alerts.models import AlertEntity
from operations.assets.models import AssetRow
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.errors import Conflict, Invalid, NotFound
from operations.incidents.models import ASSET_KINDS, ASSET_STATES, AffectedAsset
from operations.incidents.parts import part
from operations.incidents.places import check_zones
from operations.incidents.reading import get_incident, held
from operations.incidents.schema import Affected
from operations.incidents.texts import LINE, TITLE, line
from operations.incidents.timeline import tell
from operations.reach import sees, zones_seen
from operations.zones.models import ZoneRow

MAX_ASSETS = 2000


def from_alerts(session: Session, actor: Actor, incident_id: int, alert_ids: Sequence[int]) -> int:
    """Take the assets that the alerts name as attacked or as the host; returns how many are new."""
    roles = or_(AlertEntity.role.startswith("host."), AlertEntity.role.startswith("destination."))
    query = select(AlertEntity.value).where(AlertEntity.alert_id.in_(alert_ids), AlertEntity.kind == "asset", roles).distinct()
    keys = sorted(session.execute(query).scalars())
    there = set(session.execute(select(AffectedAsset.name).where(AffectedAsset.incident_id == incident_id)).scalars())
    assets = session.execute(select(AssetRow).where(AssetRow.key.in_(keys)).order_by(AssetRow.key)).scalars()
    new = [asset for asset in assets if asset.key not in there][: max(0, MAX_ASSETS - len(there))]
    layers = _layers(session, [asset.zone for asset in new])
    for asset in new:
        _add(session, actor, incident_id, "asset", asset.key, asset.zone, layers.get(asset.zone, ""), asset.bureau, "")
    return len(new)


def add_asset(
    session: Session,
    actor: Actor,
    incident_id: int,
    kind: str,
    name: str,
    *,
    zone: str = "",
    layer: str = "",
    organisation: str = "",
    impact: str = "",
) -> Affected:
    """Add a device or a service by hand; a zone tells its layer. Raises NotFound, Invalid, Conflict (there already, closed)."""
    held(session, incident_id)
    if kind not in ASSET_KINDS:
        raise Invalid(f"there is no kind {kind[:16]!r}", f"one of {', '.join(ASSET_KINDS)}", field="kind")
    name = line(name, "name", TITLE, needed=True)
    zones = check_zones(session, [zone]) if zone else []
    layer = _layers(session, zones).get(zone, "") if zones else layer
    if layer not in ("", *LAYERS):
        raise Invalid(f"there is no layer {layer[:16]!r}", f"one of {', '.join(LAYERS)}", field="layer")
    same = select(AffectedAsset.id).where(
        AffectedAsset.incident_id == incident_id, AffectedAsset.kind == kind, AffectedAsset.name == name
    )
    if session.execute(same).first() is not None:
        raise Conflict("the incident names this already")
    if kind == "asset" and not organisation:
        known = session.execute(select(AssetRow.bureau).where(AssetRow.key == name)).scalar_one_or_none()
        organisation = known or ""
    row = _add(
        session, actor, incident_id, kind, name, zone, layer, line(organisation, "organisation", 128), line(impact, "impact", LINE)
    )
    session.flush()
    tell(session, actor, incident_id, "asset_added", {"kind": kind, "name": name})
    audit.append(session, actor, "incident.asset", "incident", incident_id, detail={"add": name, "kind": kind})
    return _record(row)


def change_asset(
    session: Session, actor: Actor, incident_id: int, asset_id: int, *, state: str, impact: str, expected_version: int | None = None
) -> Affected:
    """How it fares now. Raises NotFound, Invalid, Conflict."""
    held(session, incident_id)
    row = part(session, AffectedAsset, "asset", incident_id, asset_id, expected_version)
    if row.zone and not sees(session, row.zone):
        raise NotFound(f"incident {incident_id} has no asset {asset_id}")
    if state not in ASSET_STATES:
        raise Invalid(f"there is no state {state[:16]!r}", f"one of {', '.join(ASSET_STATES)}", field="state")
    before = {"state": row.state, "impact": row.impact}
    row.state, row.impact, row.version = state, line(impact, "impact", LINE), row.version + 1
    if before["state"] != state:
        tell(session, actor, incident_id, "asset_state", {"name": row.name, "state": state})
    detail = {"asset": row.name, "before": before, "after": {"state": state, "impact": row.impact}}
    audit.append(session, actor, "incident.asset", "incident", incident_id, detail=detail)
    session.flush()
    return _record(row)


def list_assets(session: Session, incident_id: int) -> tuple[list[Affected], int]:
    """By layer (lowest first) and name, and how many lie in zones that this session may not see. Raises NotFound."""
    get_incident(session, incident_id)
    rows = list(session.execute(select(AffectedAsset).where(AffectedAsset.incident_id == incident_id)).scalars())
    seen = zones_seen(session)
    shown = [row for row in rows if seen is None or not row.zone or row.zone in seen]
    order = {layer: place for place, layer in enumerate(LAYERS)}
    shown.sort(key=lambda row: (order.get(row.layer, len(order)), row.kind, row.name))
    return [_record(row) for row in shown], len(rows) - len(shown)


def _add(
    session: Session, actor: Actor, incident_id: int, kind: str, name: str, zone: str, layer: str, organisation: str, impact: str
) -> AffectedAsset:
    row = AffectedAsset(
        incident_id=incident_id, kind=kind, name=name, zone=zone, layer=layer, organisation=organisation, state="affected",
        impact=impact, added_at=clock.now(), added_by=actor.name[:160], version=1,
    )  # fmt: skip
    session.add(row)
    return row


def _layers(session: Session, zones: Sequence[str]) -> dict[str, str]:
    return {row.id: row.layer for row in session.execute(select(ZoneRow.id, ZoneRow.layer).where(ZoneRow.id.in_(list(zones))))}


def _record(row: AffectedAsset) -> Affected:
    return Affected(*(getattr(row, name) for name in Affected.__struct_fields__))
