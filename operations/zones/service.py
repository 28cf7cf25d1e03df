"""The zone plan: what people do with it. Every change is checked against the whole plan, audited, and moves the revision.

Whoever holds the tables publishes them for the workers: :func:`snapshot` (kernel.zones.snapshot).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from kernel.zones.plan import EVERY_ZONE, Conduit, Zone, ZonePlan, check, moment
from kernel.zones.snapshot import Snapshot
from kernel.zones.table import ZoneTable
from operations import clock
from operations.assets import register
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.errors import Conflict, Denied, Invalid, NotFound
from operations.reach import sees, zones_seen
from operations.zones.models import ConduitRow, ZoneRow
from operations.zones.revision import advance, current
from operations.zones.schema import ConduitRecord, Imported, ZoneRecord

EXPIRING_SECONDS = 30 * 86_400
_TUPLES = ("ranges", "vlans", "sensors", "sources", "targets", "services")
_SHOWN_PROBLEMS = 20


def list_zones(session: Session) -> list[ZoneRecord]:
    """All zones that this session may see, by layer order of the city and id."""
    found = session.execute(select(ZoneRow).order_by(ZoneRow.layer, ZoneRow.id)).scalars()
    return [_zone_record(row) for row in found if sees(session, row.id)]


def zone_table(session: Session) -> ZoneTable:
    """All zones, also those that this session may not see: where an address belongs does not depend on who asks."""
    return ZoneTable(ZonePlan(zones=_bounds(session).zones))


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
    if row is None or not _touches(session, _conduit(row)):
        raise NotFound(f"there is no conduit {conduit_id}")
    return _conduit_record(row, clock.now())


def _touches(session: Session, conduit: Conduit) -> bool:
    """True where a zone at one of its ends may be seen."""
    seen = zones_seen(session)
    return seen is None or bool(seen & {*conduit.sources, *conduit.targets}) or EVERY_ZONE in (*conduit.sources, *conduit.targets)


def save_zone(session: Session, actor: Actor, zone: Zone, *, expected_version: int | None = None) -> ZoneRecord:
    """Make a zone (``expected_version`` None) or change it. Raises Invalid, Conflict, NotFound."""
    row = session.get(ZoneRow, zone.id)
    _expect(row, "zone", zone.id, expected_version)
    plan = _bounds(session)
    others = tuple(one for one in plan.zones if one.id != zone.id)
    _checked(msgspec.structs.replace(plan, zones=(*others, zone)), ("zone", "conduit"))
    before = _told(_zone(row)) if row is not None else None
    moved = row is None or _zone(row).ranges != zone.ranges
    row = _store_zone(session, actor, zone, row)
    audit.append(
        session, actor, "zone.change" if before else "zone.create", "zone", zone.id, detail=_difference(before, _told(zone))
    )
    if moved:
        register.rezone(session, ZoneTable(_bounds(session)))
    advance(session)
    return _zone_record(row)


def delete_zone(session: Session, actor: Actor, zone_id: str) -> None:
    """Remove a zone. Raises NotFound, or Invalid while a conduit names it."""
    row = session.get(ZoneRow, zone_id)
    if row is None:
        raise NotFound(f"there is no zone {zone_id}")
    plan = _bounds(session)
    _checked(msgspec.structs.replace(plan, zones=tuple(zone for zone in plan.zones if zone.id != zone_id)), ("zone", "conduit"))
    audit.append(session, actor, "zone.delete", "zone", zone_id, detail={"before": _told(_zone(row))})
    session.delete(row)
    session.flush()
    register.rezone(session, ZoneTable(_bounds(session)))
    advance(session)


def save_conduit(session: Session, actor: Actor, conduit: Conduit, *, expected_version: int | None = None) -> ConduitRecord:
    """Make a conduit (``expected_version`` None) or change it. Raises Invalid, Conflict, NotFound."""
    conduit = msgspec.structs.replace(conduit, since=moment(conduit.since), until=moment(conduit.until))
    row = session.get(ConduitRow, conduit.id)
    _expect(row, "conduit", conduit.id, expected_version)
    plan = _bounds(session)
    others = tuple(one for one in plan.conduits if one.id != conduit.id)
    _checked(msgspec.structs.replace(plan, conduits=(*others, conduit)), ("conduit",))
    before = _told(_conduit(row)) if row is not None else None
    row = _store_conduit(session, actor, conduit, row)
    act = "conduit.change" if before else "conduit.create"
    audit.append(session, actor, act, "conduit", conduit.id, detail=_difference(before, _told(conduit)))
    advance(session)
    return _conduit_record(row, clock.now())


def delete_conduit(session: Session, actor: Actor, conduit_id: str) -> None:
    """Remove a conduit. Raises NotFound."""
    row = session.get(ConduitRow, conduit_id)
    if row is None:
        raise NotFound(f"there is no conduit {conduit_id}")
    audit.append(session, actor, "conduit.delete", "conduit", conduit_id, detail={"before": _told(_conduit(row))})
    session.delete(row)
    advance(session)


def read(session: Session) -> ZonePlan:
    """The whole plan: zones, conduits, registered assets. Raises Denied for a session that sees some zones only."""
    if zones_seen(session) is not None:
        raise Denied("the whole plan is for people without a scope")
    return msgspec.structs.replace(_bounds(session), assets=tuple(register.registered(session)))


def _bounds(session: Session) -> ZonePlan:
    """Zones and conduits alone: whether these are sound does not depend on the assets, of which there may be 100,000."""
    return ZonePlan(
        tuple(_zone(row) for row in session.execute(select(ZoneRow).order_by(ZoneRow.id)).scalars()),
        tuple(_conduit(row) for row in session.execute(select(ConduitRow).order_by(ConduitRow.id)).scalars()),
    )


def import_plan(session: Session, actor: Actor, plan: ZonePlan, *, replace: bool = False) -> Imported:
    """Take in a plan: what it names is made or changed; with ``replace`` the zones and conduits it does not name are removed.

    Registered assets are never removed by an import. Raises Invalid when the result would not be sound.
    """
    before = read(session)
    zones = {zone.id: zone for zone in (() if replace else before.zones)} | {zone.id: zone for zone in plan.zones}
    conduits = {one.id: one for one in (() if replace else before.conduits)} | {one.id: one for one in plan.conduits}
    assets = {one.id: one for one in before.assets} | {one.id: one for one in plan.assets}
    _checked(ZonePlan(tuple(zones.values()), tuple(conduits.values()), tuple(assets.values())), ("zone", "conduit", "asset"))
    removed = [one.id for one in before.zones if one.id not in zones] + [
        one.id for one in before.conduits if one.id not in conduits
    ]
    session.execute(delete(ConduitRow).where(ConduitRow.id.not_in(list(conduits))))
    session.execute(delete(ZoneRow).where(ZoneRow.id.not_in(list(zones))))
    session.flush()
    for zone in plan.zones:
        _store_zone(session, actor, zone, session.get(ZoneRow, zone.id))
    for conduit in plan.conduits:
        _store_conduit(session, actor, conduit, session.get(ConduitRow, conduit.id))
    table = ZoneTable(read(session))
    register.register_many(session, actor, plan.assets, table)
    session.flush()
    register.rezone(session, table)
    done = Imported(len(plan.zones), len(plan.conduits), len(plan.assets), len(removed))
    audit.append(session, actor, "zone.import", "zone", "", detail=msgspec.to_builtins(done) | {"removed_ids": removed[:100]})
    advance(session)
    return done


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


def _checked(plan: ZonePlan, kinds: Iterable[str]) -> None:
    problems = [f"{kind} {identifier}: {problem}" for kind, identifier, problem in check(plan) if kind in kinds]
    if problems:
        shown = problems[:_SHOWN_PROBLEMS]
        more = f" (and {len(problems) - len(shown)} more)" if len(problems) > len(shown) else ""
        raise Invalid("; ".join(shown) + more, "nothing was changed")


def _expect(row: ZoneRow | ConduitRow | None, kind: str, identifier: str, version: int | None) -> None:
    if version is None and row is not None:
        raise Conflict(f"there is a {kind} {identifier} already", "choose another id, or change that one")
    if version is not None and row is None:
        raise NotFound(f"there is no {kind} {identifier}")
    if row is not None and version is not None and row.version != version:
        raise Conflict(f"{kind} {identifier} was changed by somebody else", "reload it and decide again")


def _store_zone(session: Session, actor: Actor, zone: Zone, row: ZoneRow | None) -> ZoneRow:
    values = {name: _stored(getattr(zone, name)) for name in zone.__struct_fields__}
    values |= {"changed_at": clock.now(), "changed_by": actor.name[:160]}
    if row is None:
        row = ZoneRow(**values, version=1)
        session.add(row)
    elif _zone(row) != zone:
        for name, value in values.items():
            setattr(row, name, value)
        row.version += 1
    session.flush()
    return row


def _store_conduit(session: Session, actor: Actor, conduit: Conduit, row: ConduitRow | None) -> ConduitRow:
    values = {name: _stored(getattr(conduit, name)) for name in conduit.__struct_fields__}
    values |= {"changed_at": clock.now(), "changed_by": actor.name[:160]}
    if row is None:
        row = ConduitRow(**values, version=1)
        session.add(row)
    elif _conduit(row) != conduit:
        for name, value in values.items():
            setattr(row, name, value)
        row.version += 1
    session.flush()
    return row


def _stored(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, tuple) else value


def _loaded(row: ZoneRow | ConduitRow, names: Sequence[str]) -> dict[str, Any]:
    return {name: tuple(json.loads(getattr(row, name))) if name in _TUPLES else getattr(row, name) for name in names}


def _zone(row: ZoneRow) -> Zone:
    return Zone(**_loaded(row, Zone.__struct_fields__))


def _conduit(row: ConduitRow) -> Conduit:
    return Conduit(**_loaded(row, Conduit.__struct_fields__))


def _zone_record(row: ZoneRow) -> ZoneRecord:
    return ZoneRecord(_zone(row), row.changed_at, row.changed_by, row.version)


def _conduit_record(row: ConduitRow, now: str) -> ConduitRecord:
    conduit = _conduit(row)
    return ConduitRecord(conduit, conduit_state(conduit, now), row.changed_at, row.changed_by, row.version)


def _told(item: Zone | Conduit) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(item)
    return told


def _difference(before: dict[str, Any] | None, after: dict[str, Any]) -> dict[str, Any]:
    if before is None:
        return {"after": after}
    changed = [name for name in after if before.get(name) != after[name]]
    return {"before": {name: before.get(name) for name in changed}, "after": {name: after[name] for name in changed}}
