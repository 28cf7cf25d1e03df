"""The register: devices that belong here, entered by people or imported with the zone plan."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session, aliased

from kernel.zones.plan import Asset, ZonePlan, check, normal_mac, told
from kernel.zones.table import ZoneTable
from operations import clock
from operations.assets import rows
from operations.assets.models import AssetMark, AssetRow
from operations.assets.schema import AssetRecord
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.errors import Conflict, Denied, Invalid, NotFound
from operations.reach import sees
from operations.software.models import SoftwareRow
from operations.zones.revision import advance

MAX_NOTE = 4000
_CHUNK = 5000


def registered(session: Session) -> list[Asset]:
    """Every registered asset."""
    query = select(AssetRow).where(AssetRow.status == "registered").order_by(AssetRow.id)
    return [_asset(row) for row in session.execute(query.execution_options(yield_per=2000)).scalars()]


def observed(session: Session) -> dict[str, str]:
    """Address (32 hex digits) → key of devices that were seen but are not registered."""
    query = (
        select(AssetMark.value, AssetRow.key)
        .join(AssetRow, AssetRow.id == AssetMark.asset_id)
        .where(AssetMark.kind == "address", AssetRow.status == "observed")
    )
    return dict(iter(session.execute(query)))


def get(session: Session, key: str) -> AssetRecord:
    """One asset by its key. Raises NotFound."""
    return rows.record(_row(session, key))


def register(
    session: Session, actor: Actor, asset: Asset, table: ZoneTable, *, note: str = "", expected_version: int | None = None
) -> AssetRecord:
    """Enter a device, or change what is entered (``expected_version``). A device that was seen under the key becomes registered.

    Raises Invalid, Conflict, and Denied for a place that this session may not see.
    """
    if len(note) > MAX_NOTE:
        raise Invalid(f"a note has at most {MAX_NOTE} characters", field="note")
    asset = Asset(
        id=asset.id.strip(),
        name=asset.name,
        kind=asset.kind,
        addresses=asset.addresses,
        macs=tuple(map(normal_mac, asset.macs)),
        bureau=asset.bureau,
        importance=asset.importance,
    )
    for mistake in check(ZonePlan(assets=(asset,))):
        raise Invalid(told(*mistake), field="asset")
    row = session.execute(select(AssetRow).where(AssetRow.key == asset.id)).scalar_one_or_none()
    if row is not None and expected_version is None and row.status != "observed":
        raise Conflict(f"there is an asset {asset.id} already", "change that one, or choose another id")
    if row is not None and expected_version is not None and row.version != expected_version:
        raise Conflict(f"asset {asset.id} was changed by somebody else", "reload it and decide again")
    if row is not None and not sees(session, row.zone):
        raise Conflict(f"there is an asset {asset.id} already", "choose another id")
    _refuse_taken(session, asset, row)
    before = rows.record(row).status if row is not None else None
    row = _store(session, actor, asset, row, table, note)
    if not sees(session, row.zone):
        raise Denied("this device lies outside of your zones", "ask somebody who may register it there")
    audit.append(
        session,
        actor,
        "asset.register",
        "asset",
        asset.id,
        detail={"before": before, "addresses": list(asset.addresses), "note": note},
    )
    advance(session)
    return rows.record(row)


def register_many(session: Session, actor: Actor, assets: Sequence[Asset], table: ZoneTable) -> None:
    """Take in the assets of a plan (checked by the caller): known keys are changed, others made. Not audited one by one."""
    known: dict[str, AssetRow] = {}
    for start in range(0, len(assets), _CHUNK):
        keys = [asset.id for asset in assets[start : start + _CHUNK]]
        known |= {row.key: row for row in session.execute(select(AssetRow).where(AssetRow.key.in_(keys))).scalars()}
    marks = {asset.id: rows.marks_of(asset.addresses, asset.macs, (asset.id, asset.name)) for asset in assets}
    taken = rows.owners(session, list(dict.fromkeys(mark for found in marks.values() for mark in found)))
    strangers = [asset for asset in assets if asset.id not in known and not any(mark in taken for mark in marks[asset.id])]
    _store_strangers(session, actor, strangers, marks, table)
    done = {asset.id for asset in strangers}
    for asset in assets:
        row = known.get(asset.id)
        if asset.id in done or (row is not None and row.status == "registered" and _asset(row) == asset):
            continue
        _store(session, actor, asset, row, table, row.note if row is not None else "")


def set_status(session: Session, actor: Actor, key: str, status: str, *, note: str = "") -> AssetRecord:
    """Retire a registered device, or take a retired one back. Raises NotFound, Invalid."""
    row = _row(session, key)
    if status not in ("registered", "retired"):
        raise Invalid(f"{status!r} is no status that can be given", "registered or retired", field="status")
    if row.status == status:
        return rows.record(row)
    before, row.status = row.status, status
    if note:
        row.note = note[:MAX_NOTE]
    row.version, row.changed_at, row.changed_by = row.version + 1, clock.now(), actor.name[:160]
    audit.append(session, actor, f"asset.{status}", "asset", key, detail={"before": before, "note": note})
    advance(session)
    return rows.record(row)


def forget(session: Session, actor: Actor, key: str) -> None:
    """Remove a device from the inventory (it comes back when it is seen again). Raises NotFound, Invalid for a registered one."""
    row = _row(session, key)
    if row.status == "registered":
        raise Invalid(f"{key} is registered", "retire it first", field="status")
    audit.append(session, actor, "asset.forget", "asset", key, detail={"addresses": json.loads(row.addresses)})
    session.delete(row)
    advance(session)


def rezone(session: Session, table: ZoneTable) -> None:
    """Give every asset the zone that the plan now says; called when ranges have changed."""
    for row in session.execute(select(AssetRow).execution_options(yield_per=2000)).scalars():
        zone = rows.zone_of(table, json.loads(row.addresses)) or (row.zone if row.zone in table.zones else "")
        if zone != row.zone:
            row.zone = zone


def _row(session: Session, key: str) -> AssetRow:
    row = session.execute(select(AssetRow).where(AssetRow.key == key)).scalar_one_or_none()
    if row is None or not sees(session, row.zone):
        raise NotFound(f"there is no asset {key}")
    return row


def _refuse_taken(session: Session, asset: Asset, row: AssetRow | None) -> None:
    """An address or MAC of another registered device cannot be given away silently."""
    taken = rows.owners(session, rows.marks_of(asset.addresses, asset.macs, ()))
    for (_, value), owner_id in taken.items():
        owner = session.get(AssetRow, owner_id)
        if owner is not None and owner.status == "registered" and (row is None or owner.id != row.id):
            raise Conflict(f"{value} belongs to {owner.key}", "take it from that asset first")


def _store_strangers(
    session: Session, actor: Actor, assets: Sequence[Asset], marks: Mapping[str, list[rows.Mark]], table: ZoneTable
) -> None:
    """Make assets of which nothing is known, many at once: one by one, 60,000 would keep other writers waiting for minutes."""
    now, name = clock.now(), actor.name[:160]
    made = []
    for asset in assets:
        row = AssetRow(key=asset.id, names="[]", services="[]", first_seen="", last_seen="", version=1, text="", note="")
        row.name, row.kind, row.bureau, row.importance = asset.name, asset.kind, asset.bureau, asset.importance
        row.addresses, row.macs = json.dumps(list(asset.addresses)), json.dumps(list(asset.macs))
        row.status, row.zone = "registered", rows.zone_of(table, asset.addresses)
        row.changed_at, row.changed_by = now, name
        rows.set_text(row)
        made.append(row)
    session.add_all(made)
    session.flush()
    owners = {mark: row.id for row in made for mark in marks[row.key]}  # a name that two of them have belongs to the last
    if owners:
        values = [{"kind": kind, "value": value, "asset_id": owner} for (kind, value), owner in owners.items()]
        session.execute(insert(AssetMark), values)


def _store(session: Session, actor: Actor, asset: Asset, row: AssetRow | None, table: ZoneTable, note: str) -> AssetRow:
    now = clock.now()
    marks = rows.marks_of(asset.addresses, asset.macs, (asset.id, asset.name))
    absorbed = _seen_under(session, marks, row)
    if row is None:
        row = AssetRow(key=asset.id, names="[]", services="[]", first_seen="", last_seen="", version=0, zone="", text="")
        session.add(row)
    row.name, row.kind, row.bureau, row.importance = asset.name, asset.kind, asset.bureau, asset.importance
    row.addresses, row.macs = json.dumps(list(asset.addresses)), json.dumps(list(asset.macs))
    row.status, row.note = "registered", note
    row.zone = rows.zone_of(table, asset.addresses) or row.zone
    row.changed_at, row.changed_by, row.version = now, actor.name[:160], row.version + 1
    for seen in absorbed:
        row.names = json.dumps(list(dict.fromkeys([*json.loads(row.names), *json.loads(seen.names)])), ensure_ascii=False)
        row.services = json.dumps(list(dict.fromkeys([*json.loads(row.services), *json.loads(seen.services)])), ensure_ascii=False)
        row.first_seen = min(filter(None, (row.first_seen, seen.first_seen)), default="")
        row.last_seen = max(row.last_seen, seen.last_seen)
    rows.set_text(row)
    session.flush()
    for seen in absorbed:
        _move_software(session, seen.id, row.id)
        session.delete(seen)
    session.flush()
    rows.mark(session, row.id, marks)
    return row


def _seen_under(session: Session, marks: Sequence[rows.Mark], row: AssetRow | None) -> list[AssetRow]:
    """Devices that were seen under these marks are this one: what is known of them moves over, their rows go."""
    owners = [session.get(AssetRow, owner_id) for owner_id in sorted(set(rows.owners(session, marks).values()))]
    return [one for one in owners if one is not None and one.status == "observed" and (row is None or one.id != row.id)]


def _move_software(session: Session, source: int, target: int) -> None:
    """What was found on the device that was seen is on the registered one; what both have stands once."""
    twin = aliased(SoftwareRow)
    same = [getattr(twin, name) == getattr(SoftwareRow, name) for name in ("vendor", "product", "release", "cpe")]
    known = select(twin.id).where(twin.asset_id == target, *same).exists()
    moved = update(SoftwareRow).where(SoftwareRow.asset_id == source, ~known).values(asset_id=target)
    session.execute(moved, execution_options={"synchronize_session": False})


def _asset(row: AssetRow) -> Asset:
    return Asset(
        id=row.key,
        name=row.name,
        kind=row.kind,
        addresses=tuple(json.loads(row.addresses)),
        macs=tuple(json.loads(row.macs)),
        bureau=row.bureau,
        importance=row.importance,
    )
