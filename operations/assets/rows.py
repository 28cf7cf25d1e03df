"""One asset's row and marks: how they are written, and found again by what the asset is known by."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from sqlalchemy import delete, select, tuple_
from sqlalchemy.orm import Session

from kernel.query.values import ip_hex
from kernel.zones.table import ZoneTable
from operations.assets.models import AssetMark, AssetRow
from operations.assets.schema import AssetRecord

Mark = tuple[str, str]
"""(address | mac | name, value)"""

_CHUNK = 400


def marks_of(addresses: Iterable[str], macs: Iterable[str], names: Iterable[str]) -> list[Mark]:
    """What an asset with these is known by."""
    marks = [("address", key) for address in addresses if (key := ip_hex(address))]
    marks += [("mac", mac) for mac in macs if mac]
    marks += [("name", name.casefold()[:256]) for name in names if name]
    return list(dict.fromkeys(marks))


def owners(session: Session, marks: Sequence[Mark]) -> dict[Mark, int]:
    """Asset id of every mark that belongs to one."""
    found: dict[Mark, int] = {}
    for start in range(0, len(marks), _CHUNK):
        query = select(AssetMark).where(tuple_(AssetMark.kind, AssetMark.value).in_(marks[start : start + _CHUNK]))
        found |= {(mark.kind, mark.value): mark.asset_id for mark in session.execute(query).scalars()}
    return found


def mark(session: Session, asset_id: int, marks: Sequence[Mark], known: dict[Mark, int] | None = None) -> None:
    """Give marks to an asset; one that belongs to another moves (an address is used by its newest owner)."""
    known = owners(session, marks) if known is None else known
    for one in marks:
        if known.get(one) == asset_id:
            continue
        if one in known:
            session.execute(delete(AssetMark).where(AssetMark.kind == one[0], AssetMark.value == one[1]))
        session.add(AssetMark(kind=one[0], value=one[1], asset_id=asset_id))
        known[one] = asset_id


def set_text(row: AssetRow) -> None:
    """Bring the search text up to date after a change."""
    parts = [row.key, row.name, row.kind, row.bureau]
    for column in (row.addresses, row.macs, row.names):
        parts += json.loads(column)
    row.text = "\n".join(part.casefold() for part in parts if part)


def zone_of(table: ZoneTable, addresses: Iterable[str]) -> str:
    """The declared zone of the first address that lies in one, "" if none does."""
    return next((zone for address in addresses if (zone := table.zone_of(address)) in table.zones), "")


def record(row: AssetRow) -> AssetRecord:
    """As shown."""
    return AssetRecord(
        id=row.id,
        key=row.key,
        name=row.name,
        kind=row.kind,
        status=row.status,
        zone=row.zone,
        bureau=row.bureau,
        importance=row.importance,
        addresses=json.loads(row.addresses),
        macs=json.loads(row.macs),
        names=json.loads(row.names),
        services=json.loads(row.services),
        note=row.note,
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        changed_at=row.changed_at,
        changed_by=row.changed_by,
        version=row.version,
    )
