"""The rules of systems: listed, made, changed, each change audited and decided on a version. A bureau sees its own."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, select, tuple_
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from compliance.catalogue.load import requirements
from compliance.systems import rows
from compliance.systems.levels import HIGHEST, SystemLevel
from compliance.systems.models import STATES, SystemRow
from compliance.systems.schema import Filing, Responsible, SystemDraft, SystemFilter, SystemPage, SystemRecord
from kernel.db.containing import containing
from operations import clock
from operations.accounts.schema import Principal
from operations.audit import service as audit
from operations.errors import Conflict, Denied, Invalid
from operations.organisations import organisations_seen, owners
from operations.written import choice, name, text
from operations.zones.models import ZoneRow

MAX_NAME, MAX_TEXT, MAX_SHORT, MAX_PAGE = 128, 8_000, 128, 200
MAX_ZONES, MAX_PEOPLE = 64, 20
DUTIES: tuple[str, ...] = ("leader", "security", "system", "network", "application", "contact")
_CURSOR = re.compile(r"([0-9TZ:.-]{27})~([0-9]{1,18})")


def list_systems(session: Session, where: SystemFilter = SystemFilter(), *, limit: int = 50, cursor: str = "") -> SystemPage:
    """One page, last changed first. Raises Invalid."""
    limit = max(1, min(limit, MAX_PAGE))
    query = select(SystemRow).where(*_conditions(session, where), *rows.seen(session))
    if cursor:
        match = _CURSOR.fullmatch(cursor)
        if match is None:
            raise Invalid("the page cursor cannot be read", "start again from the first page", field="cursor")
        query = query.where(tuple_(SystemRow.updated_at, SystemRow.id) < tuple_(match[1], int(match[2])))
    found = list(session.execute(query.order_by(SystemRow.updated_at.desc(), SystemRow.id.desc()).limit(limit + 1)).scalars())
    page = [rows.system_record(row) for row in found[:limit]]
    return SystemPage(page, f"{page[-1].updated_at}~{page[-1].id}" if len(found) > limit else "")


def get_system(session: Session, number: int) -> SystemRecord:
    """One. Raises NotFound."""
    return rows.system_record(rows.find_system(session, number))


def find_named(session: Session, called: str) -> SystemRecord | None:
    """The one that is called exactly so, where this session sees it."""
    row = session.execute(select(SystemRow).where(SystemRow.name == called, *rows.seen(session))).scalar_one_or_none()
    return rows.system_record(row) if row is not None else None


def create_system(session: Session, who: Principal, draft: SystemDraft) -> SystemRecord:
    """A new one. Raises Invalid, Denied, Conflict where the name is taken."""
    now = clock.now()
    made = {"created_by": who.name, "created_at": now, "updated_by": who.name, "updated_at": now}
    row = SystemRow(**_checked(session, draft), **made, version=1)
    _store(session, row)
    audit.append(session, who.actor, "system.create", "mlps_system", row.id, detail=_told(row))
    return rows.system_record(row)


def change_system(
    session: Session, who: Principal, number: int, draft: SystemDraft, *, expected_version: int | None
) -> SystemRecord:
    """All of it anew. Raises NotFound, Invalid, Denied, Stale, Conflict."""
    row = rows.find_system(session, number, for_update=True)
    rows.check_version(row.version, expected_version)
    wanted = _checked(session, draft)
    changed = {field: [getattr(row, field), value] for field, value in wanted.items() if getattr(row, field) != value}
    if not changed:
        return rows.system_record(row)
    for field, value in wanted.items():
        setattr(row, field, value)
    row.updated_by, row.updated_at, row.version = who.name, clock.now(), row.version + 1
    _store(session, row)
    audit.append(session, who.actor, "system.change", "mlps_system", row.id, detail=changed)
    return rows.system_record(row)


def draft_of(system: SystemRecord) -> SystemDraft:
    """What is said about it, as a draft: for a change of single fields."""
    values = {field: getattr(system, field) for field in SystemDraft.__struct_fields__}
    return SystemDraft(**{**values, "level": str(system.level)})


def _store(session: Session, row: SystemRow) -> None:
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError as error:
        raise Conflict(f"there is a system {row.name[:60]!r} already", "give it another name") from error


def _checked(session: Session, draft: SystemDraft) -> dict[str, Any]:
    """Column → value. Raises Invalid, Denied."""
    level = SystemLevel.read(draft.level)
    known = {extension.id for extension in requirements().extensions}
    for one in draft.extensions:
        if one not in known:
            raise Invalid(f"there is no extension {one[:40]!r}", ", ".join(sorted(known)), field="extensions")
    return {
        "name": name(draft.name, "name", MAX_NAME),
        "organisation": _organisation(session, draft.organisation),
        "description": text(draft.description, "description", MAX_TEXT),
        "s": level.S, "a": level.A, "g": level.G, "level": level.overall,
        "extensions": _json(sorted(set(draft.extensions))),
        "zones": _json(_zones(session, draft.zones)),
        "people": _json(_people(draft.people)),
        "state": choice(draft.state, "state", STATES),
        **_filing(draft.filing),
    }  # fmt: skip


def _organisation(session: Session, wanted: str) -> str:
    ours = organisations_seen(session)
    if ours is not None and wanted not in ours:
        raise Denied("a system of another organisation is not yours to describe")
    if wanted and wanted not in owners(session):
        raise Invalid(f"no zone belongs to {wanted[:64]!r}", "an owner of the zone plan, or empty", field="organisation")
    return wanted


def _zones(session: Session, wanted: tuple[str, ...]) -> list[str]:
    if len(wanted) > MAX_ZONES:
        raise Invalid(f"a system has at most {MAX_ZONES} zones", field="zones")
    asked = sorted(set(wanted))
    known = set(session.execute(select(ZoneRow.id).where(ZoneRow.id.in_(asked))).scalars())
    for zone in asked:
        if zone not in known:
            raise Invalid(f"there is no zone {zone[:64]!r}", field="zones")
    return asked


def _people(wanted: tuple[Responsible, ...]) -> list[Responsible]:
    if len(wanted) > MAX_PEOPLE:
        raise Invalid(f"a system names at most {MAX_PEOPLE} people", field="people")
    return [
        Responsible(choice(one.duty, "duty", DUTIES), name(one.name, "people", 64), text(one.contact, "people", MAX_SHORT))
        for one in wanted
    ]


def _filing(filing: Filing) -> dict[str, str]:
    when = text(filing.date, "filing.date", 10)
    if when:
        try:
            when = date.fromisoformat(when).isoformat()
        except ValueError as error:
            raise Invalid(f"{when!r} is no day", "write 2026-11-23", field="filing.date") from error
    return {
        "filing_number": text(filing.number, "filing.number", 64),
        "filing_date": when,
        "filing_authority": text(filing.authority, "filing.authority", MAX_SHORT),
        "filing_organisation": text(filing.organisation, "filing.organisation", MAX_SHORT),
    }


def _conditions(session: Session, where: SystemFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if where.organisation:
        found.append(SystemRow.organisation == where.organisation)
    if where.state:
        found.append(SystemRow.state == where.state)
    if where.level in range(1, HIGHEST + 1):
        found.append(SystemRow.level == where.level)
    return found + [containing(session, SystemRow.name, word) for word in where.text.split()[:8]]


def _told(row: SystemRow) -> dict[str, Any]:
    return {"name": row.name, "organisation": row.organisation, "level": f"S{row.s}A{row.a}G{row.g}", "state": row.state}


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
