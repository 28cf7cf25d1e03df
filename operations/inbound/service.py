"""Sources of inbound messages: what people do with them. Taking messages is in ``receiving``."""

from __future__ import annotations

import secrets
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from crypto.secret import MasterKey
from kernel.detection import LEVELS
from operations import clock, written
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.errors import Conflict, Invalid, NotFound, Stale
from operations.inbound import counting
from operations.inbound.models import InboundCount, InboundSource
from operations.inbound.receiving import secret_context
from operations.inbound.schema import OUTCOMES, SourceRecord
from operations.webhooks.signing import new_secret
from operations.zones.models import ZoneRow

MAX_SOURCES = 200
MAX_NAME = 128
MAX_RATE = 6000
OVERLAP_SECONDS = 24 * 3600
"""After a renewal the secret before it stays good so long."""

_FIELDS = ("name", "organisation", "zone", "max_level", "enabled", "rate")


def create(
    session: Session,
    actor: Actor,
    key: MasterKey,
    *,
    name: str,
    organisation: str = "",
    zone: str = "",
    max_level: str = "high",
    rate: int = 60,
) -> tuple[SourceRecord, str]:
    """Make a source; returns it with its signing secret, which is not shown again. Raises Invalid, Conflict.

    zone  an id of the zone plan, "" = none; ``organisation`` "" = its owner
    """
    if session.execute(select(func.count()).select_from(InboundSource)).scalar_one() >= MAX_SOURCES:
        raise Conflict(f"there are {MAX_SOURCES} sources already", "remove one that is not used")
    present, secret = clock.now(), new_secret()
    values = _checked(session, name=name, organisation=organisation, zone=zone, max_level=max_level, rate=rate)
    row = InboundSource(
        **values, public_id="in_" + secrets.token_hex(16), sealed_secret="", sealed_previous="", previous_until="", enabled=True,
        allowance=float(rate), allowance_at=present, created_at=present, created_by=actor.name[:160], version=1,
    )  # fmt: skip
    session.add(row)
    session.flush()
    row.sealed_secret = key.seal(secret.encode(), secret_context(row.id))
    session.add_all(InboundCount(source_id=row.id, outcome=outcome, number=0, last_at="") for outcome in OUTCOMES)
    session.flush()
    audit.append(session, actor, "inbound.create", "inbound", row.id, detail=values)
    return get(session, row.id), secret


def change(
    session: Session,
    actor: Actor,
    source_id: int,
    *,
    name: str | None = None,
    organisation: str | None = None,
    zone: str | None = None,
    max_level: str | None = None,
    enabled: bool | None = None,
    rate: int | None = None,
    expected_version: int | None = None,
) -> SourceRecord:
    """Change a source; None leaves a value as it is. Raises NotFound, Invalid, Stale (``expected_version`` is not its version)."""
    row = _locked(session, source_id, expected_version)
    if zone is not None and organisation is None:
        organisation = row.organisation if zone == row.zone else ""  # another zone has its own owner
    before = {field: getattr(row, field) for field in _FIELDS}
    given: dict[str, Any] = {"name": name, "organisation": organisation, "zone": zone, "max_level": max_level, "rate": rate}
    wanted = {field: before[field] if value is None else value for field, value in given.items()}
    switching = all(value is None for value in given.values())  # also where its zone has left the plan meanwhile
    after = wanted if switching else _checked(session, **wanted)
    after["enabled"] = row.enabled if enabled is None else enabled
    changed = [field for field in _FIELDS if before[field] != after[field]]
    for field in changed:
        setattr(row, field, after[field])
    if changed:
        row.version += 1
        told = {"before": {field: before[field] for field in changed}, "after": {field: after[field] for field in changed}}
        audit.append(session, actor, "inbound.change", "inbound", row.id, detail=told)
    session.flush()
    return get(session, source_id)


def renew(session: Session, actor: Actor, key: MasterKey, source_id: int, *, expected_version: int | None = None) -> str:
    """Give a source a new signing secret and return it; the present one stays good for OVERLAP_SECONDS, one before it ends now.

    Raises NotFound, Stale.
    """
    row, secret = _locked(session, source_id, expected_version), new_secret()
    row.sealed_previous, row.previous_until = row.sealed_secret, clock.shift(clock.now(), OVERLAP_SECONDS)
    row.sealed_secret, row.version = key.seal(secret.encode(), secret_context(row.id)), row.version + 1
    audit.append(session, actor, "inbound.renew", "inbound", row.id, detail={"both_until": row.previous_until})
    session.flush()
    return secret


def end_previous(session: Session, actor: Actor, source_id: int) -> SourceRecord:
    """The secret before the present one is good no longer: it became known to others. Raises NotFound."""
    row = _locked(session, source_id, None)
    if row.sealed_previous:
        row.sealed_previous, row.previous_until, row.version = "", "", row.version + 1
        audit.append(session, actor, "inbound.renew", "inbound", row.id, detail={"previous": "ended"})
        session.flush()
    return get(session, source_id)


def remove(session: Session, actor: Actor, source_id: int, *, expected_version: int | None = None) -> None:
    """Remove a source with its counters; its alerts stay. Raises NotFound, Stale."""
    row = _locked(session, source_id, expected_version)
    told = {field: getattr(row, field) for field in _FIELDS}
    audit.append(session, actor, "inbound.remove", "inbound", source_id, detail=told)
    session.delete(row)
    session.flush()


def sources(session: Session) -> list[SourceRecord]:
    """All sources by name, with their counters."""
    rows = list(session.execute(select(InboundSource).order_by(InboundSource.name, InboundSource.id)).scalars())
    counts = counting.of(session, [row.id for row in rows])
    return [_record(row, counts[row.id]) for row in rows]


def get(session: Session, source_id: int) -> SourceRecord:
    """One source with its counters. Raises NotFound."""
    row = session.get(InboundSource, source_id)
    if row is None:
        raise NotFound(f"there is no inbound source {source_id}")
    return _record(row, counting.of(session, [source_id])[source_id])


def _checked(session: Session, *, name: str, organisation: str, zone: str, max_level: str, rate: int) -> dict[str, Any]:
    name = written.name(name, "name", MAX_NAME)
    written.choice(max_level, "max_level", LEVELS)
    if not 1 <= rate <= MAX_RATE:
        raise Invalid(f"a source has 1 to {MAX_RATE} messages a minute", field="rate")
    owner = session.execute(select(ZoneRow.owner).where(ZoneRow.id == zone[:64])).scalar_one_or_none() if zone else ""
    if owner is None:
        raise Invalid(f"there is no zone {zone[:64]!r}", field="zone")
    if organisation and organisation != owner:
        hint = "name one of its zones" if not zone else f"its owner is {owner or 'nobody'}"
        raise Invalid("an organisation sees what lies in its zones, and this is none of them", hint, field="organisation")
    return {"name": name, "organisation": owner, "zone": zone, "max_level": max_level, "rate": rate}


def _locked(session: Session, source_id: int, expected_version: int | None) -> InboundSource:
    row = session.get(InboundSource, source_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(f"there is no inbound source {source_id}")
    if expected_version is not None and row.version != expected_version:
        raise Stale(f"inbound source {source_id} was changed by somebody else", "load it again and decide once more")
    return row


def _record(row: InboundSource, counts: list[Any]) -> SourceRecord:
    ordered = sorted(counts, key=lambda count: OUTCOMES.index(count.outcome) if count.outcome in OUTCOMES else len(OUTCOMES))
    until = row.previous_until if row.sealed_previous and row.previous_until > clock.now() else ""
    return SourceRecord(
        row.id, row.public_id, row.name, row.organisation, row.zone, row.max_level, row.enabled, row.rate, until,
        row.created_at, row.created_by, row.version, ordered,
    )  # fmt: skip
