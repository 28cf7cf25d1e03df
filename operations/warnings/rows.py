"""Reading and locking rows of warnings, and who may see them."""

from __future__ import annotations

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from operations.errors import Conflict, Invalid, NotFound, Stale
from operations.reach import organisations_seen, zones_seen
from operations.warnings.models import WarningReceipt, WarningRow, WarningZone
from operations.warnings.numbering import told
from operations.warnings.schema import PUBLIC, WarningRecord


def within(session: Session) -> list[ColumnElement[bool]]:
    """Only what was published to organisations or zones of this session; no condition for who sees all (operations.reach)."""
    zones = zones_seen(session)
    if zones is None:
        return []
    sent = select(WarningReceipt.warning_id).where(WarningReceipt.organisation.in_(sorted(organisations_seen(session))))
    named = select(WarningZone.warning_id).where(WarningZone.zone.in_(sorted(zones)))
    return [WarningRow.status.in_(PUBLIC), WarningRow.id.in_(sent.union(named))]  # one pass over an index, not one a row


def find(session: Session, warning_id: int) -> WarningRow:
    """The row, where this session may see it. Raises NotFound."""
    row = session.execute(select(WarningRow).where(WarningRow.id == warning_id, *within(session))).scalar_one_or_none()
    if row is None:
        raise NotFound(f"there is no warning {warning_id}")
    return row


def lock(session: Session, warning_id: int, expected_version: int | None = None) -> WarningRow:
    """The row, locked to the end of the transaction. Raises NotFound, or Stale where ``expected_version`` is not its own."""
    find(session, warning_id)
    row = session.get_one(WarningRow, warning_id, with_for_update=True, populate_existing=True)
    if expected_version is not None and row.version != expected_version:
        raise Stale(f"warning {warning_id} was changed by somebody else (version {row.version})", "reload it and decide again")
    return row


def need(row: WarningRow, *statuses: str) -> None:
    """Raises Conflict where the warning is in none of the states that an act needs."""
    if row.status not in statuses:
        raise Conflict(f"the warning is {row.status}; this needs one that is {' or '.join(statuses)}", "reload it and decide again")


def record_of(session: Session, row: WarningRow) -> WarningRecord:
    """As shown to this session: an organisation is told neither whom else it concerns nor what is known of their networks."""
    zones, organisations = zones_seen(session), organisations_seen(session)
    limited = zones is not None
    receivers, named, reasons = orjson.loads(row.organisations), orjson.loads(row.zones), orjson.loads(row.reasons)
    return WarningRecord(
        id=row.id,
        status=row.status,
        level=row.level,
        importance=row.importance,
        harm=row.harm,
        title=row.title,
        nature=row.nature,
        threat=row.threat,
        extent=row.extent,
        objects=row.objects,
        effect=row.effect,
        measures=row.measures,
        organisations=[name for name in receivers if name in organisations] if limited else receivers,
        zones=[zone for zone in named if zone in zones] if zones is not None else named,
        edition=row.edition,
        year=row.year,
        number=row.number,
        label=told(row.year, row.number, row.edition),
        author=row.author,
        contributors=[] if limited else orjson.loads(row.contributors),
        source=row.source,
        source_alert=None if limited else row.source_alert,
        reasons=[] if limited else reasons,
        created_at=row.created_at,
        updated_at=row.updated_at,
        approved_by=row.approved_by,
        approved_at=row.approved_at,
        published_at=row.published_at,
        closed_at=row.closed_at,
        version=row.version,
    )


def cleaned(text: str, field: str, most: int, *, needed: bool = False) -> str:
    """Text as it may be stored. Raises Invalid where it is too long, or missing."""
    found = text.strip().replace("\0", "").encode("utf-8", "replace").decode()
    if len(found) > most:
        raise Invalid(f"at most {most} characters", field=field)
    if needed and not found:
        raise Invalid("this must not be empty", field=field)
    return found
