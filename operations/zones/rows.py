"""Zones and conduits in their tables: read, made, changed. Checking and auditing is the caller's."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from kernel.zones.plan import Conduit, Zone, ZonePlan
from operations import clock
from operations.assets import register
from operations.audit.schema import Actor
from operations.errors import Denied
from operations.reach import zones_seen
from operations.zones.models import ConduitRow, ZoneRow

_Item = TypeVar("_Item", Zone, Conduit)
_Row = TypeVar("_Row", ZoneRow, ConduitRow)
_TUPLES = ("ranges", "vlans", "sensors", "sources", "targets", "services")


def read(session: Session) -> ZonePlan:
    """The whole plan: zones, conduits, registered assets. Raises Denied for a session that sees some zones only."""
    if zones_seen(session) is not None:
        raise Denied("the whole plan is for people without a scope")
    return msgspec.structs.replace(bounds(session), assets=tuple(register.registered(session)))


def bounds(session: Session) -> ZonePlan:
    """Zones and conduits alone: whether these are sound does not depend on the assets, of which there may be 100,000."""
    return ZonePlan(
        tuple(zone_of(row) for row in session.execute(select(ZoneRow).order_by(ZoneRow.id)).scalars()),
        tuple(conduit_of(row) for row in session.execute(select(ConduitRow).order_by(ConduitRow.id)).scalars()),
    )


def store_zone(session: Session, actor: Actor, zone: Zone, row: ZoneRow | None) -> ZoneRow:
    """Make or change the row of a zone; the version counts real changes."""
    return _store(session, actor, zone, row, ZoneRow, zone_of)


def store_conduit(session: Session, actor: Actor, conduit: Conduit, row: ConduitRow | None) -> ConduitRow:
    """The same for a conduit."""
    return _store(session, actor, conduit, row, ConduitRow, conduit_of)


def _store(session: Session, actor: Actor, item: _Item, row: _Row | None, kind: type[_Row], read: Callable[[_Row], _Item]) -> _Row:
    values = {name: _stored(getattr(item, name)) for name in item.__struct_fields__}
    values |= {"changed_at": clock.now(), "changed_by": actor.name[:160]}
    if row is None:
        row = kind(**values, version=1)
        session.add(row)
    elif read(row) != item:
        for name, value in values.items():
            setattr(row, name, value)
        row.version += 1
    session.flush()
    return row


def _stored(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, tuple) else value


def _loaded(row: ZoneRow | ConduitRow, names: Sequence[str]) -> dict[str, Any]:
    return {name: tuple(json.loads(getattr(row, name))) if name in _TUPLES else getattr(row, name) for name in names}


def zone_of(row: ZoneRow) -> Zone:
    return Zone(**_loaded(row, Zone.__struct_fields__))


def conduit_of(row: ConduitRow) -> Conduit:
    return Conduit(**_loaded(row, Conduit.__struct_fields__))
