"""Rows of systems and objects: found within what the session may see, and as records."""

from __future__ import annotations

import msgspec
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from compliance.confirmations import in_force as confirmations
from compliance.systems.levels import SystemLevel
from compliance.systems.models import ObjectRow, SystemRow
from compliance.systems.schema import Filing, ObjectRecord, Responsible, SystemRecord
from operations.errors import NotFound, Stale
from operations.organisations import organisations_seen

_NAMES = msgspec.json.Decoder(tuple[str, ...])
_PEOPLE = msgspec.json.Decoder(tuple[Responsible, ...])


def seen(session: Session) -> list[ColumnElement[bool]]:
    """Only systems of organisations that this session stands for."""
    ours = organisations_seen(session)
    return [] if ours is None else [SystemRow.organisation.in_(sorted(ours))]


def find_system(session: Session, number: int, *, for_update: bool = False) -> SystemRow:
    """Raises NotFound, also where the session may not see it. What people confirmed of the catalogue is in use from here on."""
    confirmations.bring_into_use(session)
    query = select(SystemRow).where(SystemRow.id == number, *seen(session))
    row = session.execute(query.with_for_update() if for_update else query).scalar_one_or_none()
    if row is None:
        raise NotFound(f"there is no system {number}")
    return row


def find_object(session: Session, system_id: int, number: int, *, for_update: bool = False) -> ObjectRow:
    """One object of a system that was found before. Raises NotFound."""
    query = select(ObjectRow).where(ObjectRow.id == number, ObjectRow.system_id == system_id)
    row = session.execute(query.with_for_update() if for_update else query).scalar_one_or_none()
    if row is None:
        raise NotFound(f"there is no object {number} in the system {system_id}")
    return row


def check_version(found: int, expected: int | None) -> None:
    """Raises Stale where somebody else was quicker; ``expected`` None = change in any case."""
    if expected is not None and expected != found:
        raise Stale("this was changed by somebody else", "read it again and decide once more")


def system_record(row: SystemRow) -> SystemRecord:
    """As shown."""
    return SystemRecord(
        row.id, row.name, row.organisation, row.description, SystemLevel(row.s, row.a, row.g), _NAMES.decode(row.extensions),
        _NAMES.decode(row.zones), _PEOPLE.decode(row.people), row.state,
        Filing(row.filing_number, row.filing_date, row.filing_authority, row.filing_organisation),
        row.created_by, row.created_at, row.updated_by, row.updated_at, row.version,
    )  # fmt: skip


def object_record(row: ObjectRow) -> ObjectRecord:
    """As shown."""
    return ObjectRecord(**{name: getattr(row, name) for name in ObjectRecord.__struct_fields__})
