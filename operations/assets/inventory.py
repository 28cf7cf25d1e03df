"""The inventory: what workers saw of devices, written down. Writing the same sighting twice changes nothing.

A sighting belongs to the asset that the plan named, else to the one with its address, else with its MAC, else with its name; where
there is none, a new asset is ``observed``. What a person has registered is only added to (host names, services, moments).

Names and services are texts that senders chose: they are made storable and cut before anything is done with them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from kernel.store.storable import storable_scalar
from kernel.zones.addresses import canonical, number
from kernel.zones.model import MAC
from kernel.zones.sightings import Sighting
from operations import clock
from operations.assets import rows
from operations.assets.models import AssetRow
from operations.zones.revision import advance

MAX_OBSERVED_PER_ZONE = 20_000
"""A sender of invented addresses must not fill the database; what comes beyond is not taken down."""

_MOST_LISTED = 64
_LONGEST_KEY = 128
_LONGEST_NAME = 256
_LONGEST_SERVICE = 80


def record_sightings(session: Session, sightings: Sequence[Sighting]) -> int:
    """Write down what a batch showed; returns the number of devices that were new."""
    sightings = [one for one in map(_storable, sightings) if one.address or one.name]
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


def record_singly(session: Session, sightings: Sequence[Sighting]) -> Exception | None:
    """Each sighting on its own, so that one that cannot be written costs the others nothing; returns what the last such one raised.

    Raises OperationalError (the database is away, which is no sighting's fault).
    """
    failed: Exception | None = None
    for one in sightings:
        try:
            with session.begin_nested():
                record_sightings(session, [one])
        except OperationalError:
            raise
        except Exception as error:  # whatever a sender's text may do to a database
            failed = error
    return failed


def _storable(one: Sighting) -> Sighting:
    return Sighting(
        zone=one.zone,
        first=one.first,
        last=one.last,
        asset=_text(one.asset, _LONGEST_KEY),
        address="" if number(one.address) is None else canonical(one.address),
        mac=one.mac if MAC.fullmatch(one.mac) else "",
        name=_text(one.name, _LONGEST_NAME),
        services=[_text(service, _LONGEST_SERVICE) for service in one.services],
    )


def _text(text: str, longest: int) -> str:
    """Valid Unicode without NUL (PostgreSQL stores none), at most so many letters."""
    return str(storable_scalar(text[:longest])).replace("\0", "\\x00")[:longest]


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
    row = AssetRow(
        key=_free_key(session, one),
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


def _free_key(session: Session, one: Sighting) -> str:
    """The address or name, with something that tells it apart where another asset is called so."""
    base = one.address or one.name
    identity = "\0".join((one.zone, one.address, one.mac, one.name, one.first))
    digest = hashlib.blake2b(identity.encode(), digest_size=8).hexdigest()
    for suffix in ("", f" ({one.mac or one.first})", f" ({digest})"):
        key = base[: _LONGEST_KEY - len(suffix)] + suffix
        if session.execute(select(AssetRow.id).where(AssetRow.key == key)).first() is None:
            break
    return key


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
