"""The zone plan: what people do with it. Every change is checked against the whole plan, audited, and moves the revision.

Whoever holds the tables publishes them for the workers: :func:`snapshot` (kernel.zones.snapshot).
"""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from kernel.zones.plan import EVERY_ZONE, Conduit, Zone, ZonePlan, moment
from kernel.zones.snapshot import Snapshot
from kernel.zones.table import ZoneTable
from operations import clock
from operations.assets import register
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.errors import Conflict, NotFound
from operations.reach import sees, zones_seen
from operations.zones.intake import import_plan, refuse_mistakes, rehearse
from operations.zones.models import ConduitRow, ZoneRow
from operations.zones.revision import advance, current, hold
from operations.zones.rows import bounds, conduit_of, read, store_conduit, store_zone, zone_of
from operations.zones.schema import ConduitRecord, ZoneRecord

__all__ = [
    "EXPIRING_SECONDS",
    "conduit_state",
    "current",
    "delete_conduit",
    "delete_zone",
    "get_conduit",
    "get_zone",
    "hold",
    "import_plan",
    "list_conduits",
    "list_zones",
    "read",
    "rehearse",
    "save_conduit",
    "save_zone",
    "snapshot",
]

EXPIRING_SECONDS = 30 * 86_400


def list_zones(session: Session) -> list[ZoneRecord]:
    """All zones that this session may see, by layer order of the city and id."""
    found = session.execute(select(ZoneRow).order_by(ZoneRow.layer, ZoneRow.id)).scalars()
    return [_zone_record(row) for row in found if sees(session, row.id)]


def zone_table(session: Session) -> ZoneTable:
    """All zones, also those that this session may not see: where an address belongs does not depend on who asks."""
    return ZoneTable(ZonePlan(zones=bounds(session).zones))


def get_zone(session: Session, zone_id: str) -> ZoneRecord:
    """One zone. Raises NotFound."""
    row = session.get(ZoneRow, zone_id)
    if row is None or not sees(session, zone_id):
        raise NotFound(f"there is no zone {zone_id}")
    return _zone_record(row)


def list_conduits(session: Session, *, zone: str = "") -> list[ConduitRecord]:
    """All conduits by id; ``zone`` limits them to those that lead from it or into it."""
    now = clock.now()
    records = [_conduit_record(row, now) for row in session.execute(select(ConduitRow).order_by(ConduitRow.id)).scalars()]
    return [
        r
        for r in records
        if (not zone or zone in (*r.conduit.sources, *r.conduit.targets) or "*" in (*r.conduit.sources, *r.conduit.targets))
        and _touches(session, r.conduit)
    ]


def get_conduit(session: Session, conduit_id: str) -> ConduitRecord:
    """One conduit. Raises NotFound."""
    row = session.get(ConduitRow, conduit_id)
    if row is None or not _touches(session, conduit_of(row)):
        raise NotFound(f"there is no conduit {conduit_id}")
    return _conduit_record(row, clock.now())


def _touches(session: Session, conduit: Conduit) -> bool:
    """True where a zone at one of its ends may be seen."""
    seen = zones_seen(session)
    return seen is None or bool(seen & {*conduit.sources, *conduit.targets}) or EVERY_ZONE in (*conduit.sources, *conduit.targets)


def save_zone(session: Session, actor: Actor, zone: Zone, *, expected_version: int | None = None) -> ZoneRecord:
    """Make a zone (``expected_version`` None) or change it. Raises Invalid, Conflict, NotFound."""
    hold(session)
    row = session.get(ZoneRow, zone.id)
    _expect(row, "zone", zone.id, expected_version)
    plan = bounds(session)
    others = tuple(one for one in plan.zones if one.id != zone.id)
    refuse_mistakes(msgspec.structs.replace(plan, zones=(*others, zone)), ("zone", "conduit"))
    before = _told(zone_of(row)) if row is not None else None
    moved = row is None or zone_of(row).ranges != zone.ranges
    row = store_zone(session, actor, zone, row)
    audit.append(
        session, actor, "zone.change" if before else "zone.create", "zone", zone.id, detail=_difference(before, _told(zone))
    )
    if moved:
        register.rezone(session, ZoneTable(bounds(session)))
    advance(session)
    return _zone_record(row)


def delete_zone(session: Session, actor: Actor, zone_id: str) -> None:
    """Remove a zone. Raises NotFound, or Invalid while a conduit names it."""
    hold(session)
    row = session.get(ZoneRow, zone_id)
    if row is None:
        raise NotFound(f"there is no zone {zone_id}")
    plan = bounds(session)
    refuse_mistakes(
        msgspec.structs.replace(plan, zones=tuple(zone for zone in plan.zones if zone.id != zone_id)), ("zone", "conduit")
    )
    audit.append(session, actor, "zone.delete", "zone", zone_id, detail={"before": _told(zone_of(row))})
    session.delete(row)
    session.flush()
    register.rezone(session, ZoneTable(bounds(session)))
    advance(session)


def save_conduit(session: Session, actor: Actor, conduit: Conduit, *, expected_version: int | None = None) -> ConduitRecord:
    """Make a conduit (``expected_version`` None) or change it. Raises Invalid, Conflict, NotFound."""
    conduit = msgspec.structs.replace(conduit, since=moment(conduit.since), until=moment(conduit.until))
    hold(session)
    row = session.get(ConduitRow, conduit.id)
    _expect(row, "conduit", conduit.id, expected_version)
    plan = bounds(session)
    others = tuple(one for one in plan.conduits if one.id != conduit.id)
    refuse_mistakes(msgspec.structs.replace(plan, conduits=(*others, conduit)), ("conduit",))
    before = _told(conduit_of(row)) if row is not None else None
    row = store_conduit(session, actor, conduit, row)
    act = "conduit.change" if before else "conduit.create"
    audit.append(session, actor, act, "conduit", conduit.id, detail=_difference(before, _told(conduit)))
    advance(session)
    return _conduit_record(row, clock.now())


def delete_conduit(session: Session, actor: Actor, conduit_id: str) -> None:
    """Remove a conduit. Raises NotFound."""
    hold(session)
    row = session.get(ConduitRow, conduit_id)
    if row is None:
        raise NotFound(f"there is no conduit {conduit_id}")
    audit.append(session, actor, "conduit.delete", "conduit", conduit_id, detail={"before": _told(conduit_of(row))})
    session.delete(row)
    advance(session)


def snapshot(session: Session) -> Snapshot:
    """What workers need, as of now."""
    plan = read(session)
    revision, inventory = current(session)
    return Snapshot(f"{revision}.{inventory}", list(plan.zones), list(plan.conduits), list(plan.assets), register.observed(session))


def conduit_state(conduit: Conduit, now: str) -> str:
    """in-force, expiring (within 30 days), expired or pending."""
    if conduit.until and now >= conduit.until:
        return "expired"
    if conduit.since and now < conduit.since:
        return "pending"
    return "expiring" if conduit.until and clock.shift(now, EXPIRING_SECONDS) >= conduit.until else "in-force"


def _expect(row: ZoneRow | ConduitRow | None, kind: str, identifier: str, version: int | None) -> None:
    if version is None and row is not None:
        raise Conflict(f"there is a {kind} {identifier} already", "choose another id, or change that one")
    if version is not None and row is None:
        raise NotFound(f"there is no {kind} {identifier}")
    if row is not None and version is not None and row.version != version:
        raise Conflict(f"{kind} {identifier} was changed by somebody else", "reload it and decide again")


def _zone_record(row: ZoneRow) -> ZoneRecord:
    return ZoneRecord(zone_of(row), row.changed_at, row.changed_by, row.version)


def _conduit_record(row: ConduitRow, now: str) -> ConduitRecord:
    conduit = conduit_of(row)
    return ConduitRecord(conduit, conduit_state(conduit, now), row.changed_at, row.changed_by, row.version)


def _told(item: Zone | Conduit) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(item)
    return told


def _difference(before: dict[str, Any] | None, after: dict[str, Any]) -> dict[str, Any]:
    if before is None:
        return {"after": after}
    changed = [name for name in after if before.get(name) != after[name]]
    return {"before": {name: before.get(name) for name in changed}, "after": {name: after[name] for name in changed}}
