"""The inventory: what workers saw of devices, written down. Writing the same sighting twice changes nothing.

A sighting belongs to the asset that the plan named, else to the one with its address, else with its MAC, else with its name; where
there is none, a new asset is ``observed``. What a person has registered is only added to (host names, services, moments).
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from kernel.zones.sightings import Sighting
from operations import clock
from operations.assets import rows
from operations.assets.models import AssetRow
from operations.zones.revision import advance

MAX_OBSERVED_PER_ZONE = 20_000
"""A sender of invented addresses must not fill the database; what comes beyond is not taken down."""

_MOST_LISTED = 64


def record_sightings(session: Session, sightings: Sequence[Sighting]) -> int:
    """Write down what a batch showed; returns the number of devices that were new."""
    marks = {mark for one in sightings for mark in rows.marks_of((one.address,), (one.mac,), (one.name, one.asset))}
    known = rows.owners(session, sorted(marks))
    full: dict[str, bool] = {}
    new = 0
    for one in sightings:
        row = _owner(session, one, known)
        if row is None:
            if full.setdefault(one.zone, _is_full(session, one.zone)):
                continue
            row = _made(session, one)
            new += 1
        _add_to(row, one)
        session.flush()
        rows.mark(session, row.id, _own_marks(one, known, row), known)
    if new:
        advance(session, inventory=True)
    return new


def _owner(session: Session, one: Sighting, known: dict[rows.Mark, int]) -> AssetRow | None:
    candidates = [
        ("name", one.asset.casefold()[:256]),
        *rows.marks_of((one.address,), (), ()),
        *rows.marks_of((), (one.mac,), ()),
        *rows.marks_of((), (), (one.name,)),
    ]
    for mark in candidates:
        if mark[1] and (owner := known.get(mark)) is not None and (row := session.get(AssetRow, owner)) is not None:
            return row
    return None


def _own_marks(one: Sighting, known: dict[rows.Mark, int], row: AssetRow) -> list[rows.Mark]:
    """Marks that this sighting may give: never one that belongs to another asset, but the address (devices move).

    A registered device gets no network card by being seen: a card that took its address would be taken for it from then on.
    """
    address = rows.marks_of((one.address,), (), ())
    others = rows.marks_of((), (one.mac,), (one.name,))
    if row.status == "registered":
        address = [mark for mark in address if mark not in known]
        others = [mark for mark in others if mark[0] != "mac"]
    return [*address, *(mark for mark in others if mark not in known)]


def _is_full(session: Session, zone: str) -> bool:
    query = select(func.count()).select_from(
        select(AssetRow.id).where(AssetRow.zone == zone, AssetRow.status == "observed").limit(MAX_OBSERVED_PER_ZONE).subquery()
    )
    return session.execute(query).scalar_one() >= MAX_OBSERVED_PER_ZONE


def _made(session: Session, one: Sighting) -> AssetRow:
    key = one.address or one.name
    taken = session.execute(select(AssetRow.id).where(AssetRow.key == key)).first() is not None
    row = AssetRow(
        key=f"{key} ({one.mac or one.first})" if taken else key[:128],
        name="",
        kind="",
        status="observed",
        zone=one.zone,
        bureau="",
        importance=0,
        addresses="[]",
        macs="[]",
        names="[]",
        services="[]",
        text="",
        note="",
        first_seen=one.first,
        last_seen=one.last,
        changed_at=clock.now(),
        changed_by="system",
        version=1,
    )
    session.add(row)
    return row


def _add_to(row: AssetRow, one: Sighting) -> None:
    row.first_seen = min(row.first_seen or one.first, one.first)
    row.last_seen = max(row.last_seen, one.last)
    row.zone = row.zone or one.zone
    changed = False
    additions = {"addresses": [one.address], "macs": [one.mac], "names": [one.name], "services": one.services}
    for column, values in additions.items():
        if row.status == "registered" and column in ("addresses", "macs"):
            continue  # what a person entered decides what the device is
        listed = json.loads(getattr(row, column))
        fresh = [value for value in values if value and value not in listed]
        if fresh:
            setattr(row, column, json.dumps([*listed, *fresh][:_MOST_LISTED], ensure_ascii=False))
            changed = True
    if changed or not row.text:
        rows.set_text(row)
