"""The objects of a system: entered by hand or taken from the asset inventory, changed, taken out and back in.

An object that is taken out keeps its verdicts in the history; they count no more.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from compliance.systems import rows
from compliance.systems.kinds import KINDS, OF_ASSETS
from compliance.systems.models import ObjectRow, SystemRow
from compliance.systems.schema import ObjectDraft, ObjectFilter, ObjectPage, ObjectRecord, TakenOver
from kernel.db.containing import containing
from operations import clock
from operations.accounts.schema import Principal
from operations.assets import listing as assets
from operations.assets.schema import AssetFilter, AssetRecord
from operations.audit import service as audit
from operations.errors import Conflict, Invalid
from operations.written import choice, name, text

MAX_NAME, MAX_NOTE, MAX_PAGE, HIGHEST_IMPORTANCE = 256, 4_000, 500, 5
MOST_OBJECTS = 20_000
_KINDS = tuple(KINDS)


def list_objects(
    session: Session, system_id: int, where: ObjectFilter = ObjectFilter(), *, limit: int = 50, cursor: str = ""
) -> ObjectPage:
    """One page by number. Raises NotFound, Invalid."""
    rows.find_system(session, system_id)
    limit = max(1, min(limit, MAX_PAGE))
    query = select(ObjectRow).where(ObjectRow.system_id == system_id, *_conditions(session, where))
    if cursor:
        if not cursor.isdecimal() or len(cursor) > 18:
            raise Invalid("the page cursor cannot be read", "start again from the first page", field="cursor")
        query = query.where(ObjectRow.id > int(cursor))
    found = list(session.execute(query.order_by(ObjectRow.id).limit(limit + 1)).scalars())
    page = [rows.object_record(row) for row in found[:limit]]
    return ObjectPage(page, str(page[-1].id) if len(found) > limit else "")


def get_object(session: Session, system_id: int, number: int) -> ObjectRecord:
    """One. Raises NotFound."""
    rows.find_system(session, system_id)
    return rows.object_record(rows.find_object(session, system_id, number))


def count_kinds(session: Session, system_id: int) -> dict[str, int]:
    """Kind → number of objects that are in."""
    query = select(ObjectRow.kind, func.count()).where(ObjectRow.system_id == system_id, ObjectRow.removed_at.is_(None))
    return {row[0]: row[1] for row in session.execute(query.group_by(ObjectRow.kind))}


def add_object(session: Session, who: Principal, system_id: int, draft: ObjectDraft) -> ObjectRecord:
    """A new one, or one that was taken out, in again. Raises NotFound, Invalid, Conflict."""
    system = rows.find_system(session, system_id, for_update=True)
    asset = _asset(session, draft.asset)
    kind = choice(draft.kind, "kind", _KINDS)
    called = name(draft.name or (asset.name or asset.key if asset else ""), "name", MAX_NAME)
    row = session.execute(_named(system_id, kind, called)).scalar_one_or_none()
    if row is not None and row.removed_at is None:
        raise Conflict(f"the system has the {KINDS[kind][1].lower()} {called[:60]!r} already")
    if row is None:
        _refuse_too_many(session, system_id, 1)
        row = _new(system, who, kind, called)
        session.add(row)
    row.asset, row.importance = asset.key if asset else "", _importance(draft.importance)
    row.note, row.removed_at = text(draft.note, "note", MAX_NOTE), None
    row.reason = f"asset {asset.key} of the inventory, by {who.name}" if asset else f"entered by {who.name}"
    _touch(session, row, who)
    audit.append(session, who.actor, "object.add", "mlps_object", row.id, detail=_told(row))
    return rows.object_record(row)


def change_object(
    session: Session, who: Principal, system_id: int, number: int, draft: ObjectDraft, *, expected_version: int | None
) -> ObjectRecord:
    """Name, asset, importance and note; the kind stays. Raises NotFound, Invalid, Stale, Conflict."""
    rows.find_system(session, system_id)
    row = rows.find_object(session, system_id, number, for_update=True)
    rows.check_version(row.version, expected_version)
    if draft.kind != row.kind:
        raise Invalid("the kind of an object stays as it is", "take it out and enter another one", field="kind")
    asset = _asset(session, draft.asset)
    called = name(draft.name or row.name, "name", MAX_NAME)
    if called != row.name and session.execute(_named(system_id, row.kind, called)).first() is not None:
        raise Conflict(f"the system has the {KINDS[row.kind][1].lower()} {called[:60]!r} already")
    before = _told(row)
    row.name, row.asset, row.importance = called, asset.key if asset else "", _importance(draft.importance)
    row.note = text(draft.note, "note", MAX_NOTE)
    _touch(session, row, who)
    audit.append(session, who.actor, "object.change", "mlps_object", row.id, detail={"before": before, "after": _told(row)})
    return rows.object_record(row)


def take_out(
    session: Session, who: Principal, system_id: int, number: int, reason: str, *, expected_version: int | None
) -> ObjectRecord:
    """It is not assessed any more. Raises NotFound, Invalid, Stale, Conflict."""
    rows.find_system(session, system_id)
    row = rows.find_object(session, system_id, number, for_update=True)
    rows.check_version(row.version, expected_version)
    if row.removed_at is not None:
        raise Conflict("it was taken out already")
    row.reason, row.removed_at = text(reason, "reason", MAX_NOTE, needed=True), clock.now()
    _touch(session, row, who)
    audit.append(session, who.actor, "object.remove", "mlps_object", row.id, detail=_told(row) | {"reason": row.reason})
    return rows.object_record(row)


def take_over_assets(session: Session, who: Principal, system_id: int) -> TakenOver:
    """Registered assets in the zones of the system become objects by their kind (kinds.OF_ASSETS).

    What is there stays as it is, also what was taken out; assets of other kinds are named, for a person to decide. Raises
    NotFound, Invalid.
    """
    system = rows.find_system(session, system_id, for_update=True)
    record = rows.system_record(system)
    columns = select(ObjectRow.kind, ObjectRow.asset, ObjectRow.name).where(ObjectRow.system_id == system_id)
    there, taken = set[tuple[str, str]](), set[tuple[str, str]]()
    for kind, key, called in session.execute(columns):
        there.add((kind, key))
        taken.add((kind, called))
    made, known, unknown = list[ObjectRow](), 0, dict[str, str]()
    for zone in record.zones:
        for asset in _registered(session, zone):
            kinds = OF_ASSETS.get(asset.kind, ())
            if not kinds:
                unknown[asset.key] = asset.kind
            for kind in kinds:
                if (kind, asset.key) in there:
                    known += 1
                    continue
                called = " ".join((asset.name or asset.key).split())[:MAX_NAME]
                if (kind, called) in taken:  # two assets of one name
                    called = f"{called[: MAX_NAME - 131]} ({asset.key})"
                row = _new(system, who, kind, called)
                row.asset, row.reason = asset.key, f"asset of the kind {asset.kind} in the zone {zone}"
                taken.add((kind, called))
                there.add((kind, asset.key))
                made.append(row)
    _refuse_too_many(session, system_id, len(made))
    session.add_all(made)
    session.flush()
    detail = {"made": len(made), "known": known, "unknown": len(unknown), "zones": record.zones}
    audit.append(session, who.actor, "object.import", "mlps_system", system_id, detail=detail)
    return TakenOver(len(made), known, unknown)


def _registered(session: Session, zone: str) -> Iterator[AssetRecord]:
    cursor = ""
    while True:
        where = AssetFilter(status="registered", zone=zone)
        page = assets.list_assets(session, where, sort="key", limit=assets.MAX_PAGE, cursor=cursor)
        yield from page.assets
        cursor = page.cursor
        if not cursor:
            return


def _named(system_id: int, kind: str, called: str) -> Select[Any]:
    return select(ObjectRow).where(ObjectRow.system_id == system_id, ObjectRow.kind == kind, ObjectRow.name == called)


def _asset(session: Session, key: str) -> AssetRecord | None:
    if not key:
        return None
    found = assets.of_keys(session, [key[:128]]).get(key)
    if found is None:
        raise Invalid(f"there is no asset {key[:60]!r}", "its id in the inventory, or empty", field="asset")
    return found


def _importance(value: int) -> int:
    if not 0 <= value <= HIGHEST_IMPORTANCE:
        raise Invalid(f"an importance is 0 to {HIGHEST_IMPORTANCE}", field="importance")
    return value


def _refuse_too_many(session: Session, system_id: int, more: int) -> None:
    there = session.execute(select(func.count()).where(ObjectRow.system_id == system_id)).scalar_one()
    if there + more > MOST_OBJECTS:
        raise Invalid(f"a system has at most {MOST_OBJECTS:,} objects")


def _new(system: SystemRow, who: Principal, kind: str, called: str) -> ObjectRow:
    now = clock.now()
    return ObjectRow(
        system_id=system.id, kind=kind, name=called, asset="", importance=0, reason="", note="", removed_at=None,
        created_by=who.name, created_at=now, updated_by=who.name, updated_at=now, version=0,
    )  # fmt: skip


def _touch(session: Session, row: ObjectRow, who: Principal) -> None:
    row.updated_by, row.updated_at, row.version = who.name, clock.now(), row.version + 1
    session.flush()


def _conditions(session: Session, where: ObjectFilter) -> list[ColumnElement[bool]]:
    removed = ObjectRow.removed_at
    found: list[ColumnElement[bool]] = [removed.is_not(None) if where.removed else removed.is_(None)]
    found += [column == value for column, value in ((ObjectRow.kind, where.kind), (ObjectRow.asset, where.asset)) if value]
    return found + [containing(session, ObjectRow.name, word) for word in where.text.split()[:8]]


def _told(row: ObjectRow) -> dict[str, object]:
    names = ("system_id", "kind", "name", "asset", "importance")
    return {field: getattr(row, field) for field in names}
