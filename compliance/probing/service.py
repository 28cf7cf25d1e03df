"""Targets: entered, paused, removed, each audited; which are due, and taken by one scheduler only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from compliance.probing.models import OUTWARD, WAYS, FileRow, TargetRow
from compliance.probing.needs import checked
from compliance.probing.schema import TargetDraft, TargetFilter, TargetRecord
from compliance.systems import rows
from compliance.systems.applicability import WHOLE
from compliance.systems.models import ObjectRow
from crypto.certificates import read_certificates
from operations import clock
from operations.accounts.schema import Principal
from operations.audit import service as audit
from operations.errors import Conflict, Denied, Invalid, NotFound
from operations.organisations import organisations_seen
from operations.written import choice

DAY, AGAIN = 86_400, 3_600
"""Seconds until the next look, and until one that failed or was broken off is tried again."""
MOST = 5_000
_CURSOR = re.compile(r"[0-9]{1,18}")
_LEADS = ("object_id", "place", "login", "secret", "host", "ca")
"""Where a target leads."""


def add(session: Session, who: Principal, draft: TargetDraft, *, after: float = 0) -> TargetRecord:
    """Enter a target; due ``after`` so many seconds. Raises Denied, NotFound, Invalid, Conflict where there is the same one."""
    _in_charge(session)
    _in_person(who, draft.way)
    rows.find_system(session, draft.system_id, for_update=True)
    _check_object(session, draft)
    if len(session.execute(select(TargetRow.id).limit(MOST)).all()) >= MOST:
        raise Conflict(f"there are {MOST:,} targets already")
    way, now = choice(draft.way, "way", WAYS), clock.now()
    row = TargetRow(
        system_id=draft.system_id, object_id=draft.object_id, way=way, **checked(way, draft), enabled=True,
        next_at=clock.shift(now, after), run_at="", read_at="", error="", evidence="", created_by=who.name[:160], created_at=now,
        version=1,
    )  # fmt: skip
    with _only_one(session):
        session.add(row)
    audit.append(session, who.actor, "probe_target.add", "mlps_system", row.system_id, detail=_told(row))
    return _record(row)


def change(
    session: Session, who: Principal, number: int, draft: TargetDraft, enabled: bool, *, expected_version: int | None = None
) -> TargetRecord:
    """Change where it leads, its object, or whether it is paused; system and way stay. Looked at again, as one that is new.

    Raises Denied, NotFound, Invalid, Conflict, Stale.
    """
    row = find(session, number)
    _in_person(who, row.way)
    rows.check_version(row.version, expected_version)
    if (draft.system_id, draft.way) != (row.system_id, row.way):
        raise Invalid("system and way of a target stay", "remove it and add another", field="way")
    if draft.object_id != row.object_id:
        _check_object(session, draft)
    said = {"object_id": draft.object_id, "enabled": enabled, **checked(row.way, draft)}
    before = {name: getattr(row, name) for name in said}
    if said == before:
        return _record(row)
    with _only_one(session):
        for name, value in said.items():
            setattr(row, name, value)
        row.version, row.next_at = row.version + 1, clock.now()
        if {**said, "enabled": True} != {**before, "enabled": True}:
            row.run_at = row.read_at = row.error = row.evidence = ""
        if row.place:
            session.execute(delete(FileRow).where(FileRow.target_id == number))
    audit.append(session, who.actor, "probe_target.change", "mlps_system", row.system_id, detail=_told(row))
    return _record(row)


def hasten(session: Session, who: Principal, number: int) -> TargetRecord:
    """Have the scheduler look within a minute. Raises NotFound; Conflict where it is paused."""
    row = find(session, number)
    if not row.enabled:
        raise Conflict("this target is paused", "resume it")
    row.next_at = clock.now()
    audit.append(session, who.actor, "probe_target.run", "mlps_system", row.system_id, detail=_told(row))
    return _record(row)


def get(session: Session, number: int) -> TargetRecord:
    """One. Raises NotFound."""
    _in_charge(session)
    row = session.get(TargetRow, number)
    if row is None:
        raise NotFound(f"there is no target {number}")
    return _record(row)


def page(session: Session, where: TargetFilter, *, limit: int, cursor: str = "") -> tuple[list[TargetRecord], str]:
    """One page by number, and the cursor of the next ("" at the end). Raises NotFound, Invalid."""
    _in_charge(session)
    query = select(TargetRow).order_by(TargetRow.id).limit(limit + 1)
    if where.system_id:
        rows.find_system(session, where.system_id)
        query = query.where(TargetRow.system_id == where.system_id)
    if where.failed:
        query = query.where(TargetRow.error != "")
    if cursor:
        if not _CURSOR.fullmatch(cursor):
            raise Invalid("this is no cursor of this list", "next_cursor of the page before", field="cursor")
        query = query.where(TargetRow.id > int(cursor))
    found = session.execute(query).scalars().all()
    return [_record(row) for row in found[:limit]], str(found[limit - 1].id) if len(found) > limit else ""


def set_enabled(session: Session, who: Principal, number: int, enabled: bool) -> TargetRecord:
    """Pause it, or go on, then at once. Raises NotFound."""
    row = find(session, number)
    if row.enabled != enabled:
        row.enabled, row.next_at, row.version = enabled, clock.now(), row.version + 1
        act = "probe_target.resume" if enabled else "probe_target.pause"
        audit.append(session, who.actor, act, "mlps_system", row.system_id, detail=_told(row))
    return _record(row)


def remove(session: Session, who: Principal, number: int, *, expected_version: int | None = None) -> None:
    """It is looked at no more; verdicts and sealed evidence stay. Raises NotFound, Stale."""
    row = find(session, number)
    rows.check_version(row.version, expected_version)
    audit.append(session, who.actor, "probe_target.remove", "mlps_system", row.system_id, detail=_told(row))
    session.delete(row)
    session.flush()


def targets(session: Session, system_id: int | None = None) -> list[TargetRecord]:
    """All, or those of a system, by number. Raises NotFound."""
    query = select(TargetRow).order_by(TargetRow.id).limit(MOST)
    if system_id is not None:
        rows.find_system(session, system_id)
        query = query.where(TargetRow.system_id == system_id)
    else:
        _in_charge(session)
    return [_record(row) for row in session.execute(query).scalars()]


def with_names(session: Session, system_id: int, limit: int = 200) -> list[tuple[TargetRecord, str]]:
    """Targets of a system for people, those that failed first, each with the name of its object ("" = the system as a whole).

    Raises NotFound.
    """
    rows.find_system(session, system_id)
    query = select(TargetRow, ObjectRow.name).outerjoin(ObjectRow, ObjectRow.id == TargetRow.object_id)
    query = query.where(TargetRow.system_id == system_id).order_by(TargetRow.error == "", TargetRow.id).limit(limit)
    return [(_record(row), name or "") for row, name in session.execute(query).all()]


def is_due(session: Session, system_id: int | None = None) -> bool:
    """Whether something (of a system) is due now."""
    query = select(TargetRow.id).where(TargetRow.enabled, TargetRow.next_at <= clock.now())
    if system_id is not None:
        query = query.where(TargetRow.system_id == system_id)
    return session.execute(query.limit(1)).first() is not None


def take_due(session: Session, limit: int) -> list[TargetRecord]:
    """Those that are due, taken so that no other scheduler takes them, too; tried again in an hour if this one is broken off."""
    now = clock.now()
    query = select(TargetRow.id).where(TargetRow.enabled, TargetRow.next_at <= now).order_by(TargetRow.next_at, TargetRow.id)
    return _taken(session, [one for one in session.execute(query.limit(limit)).scalars() if _take(session, one, now)])


def take(session: Session, numbers: list[int]) -> list[TargetRecord]:
    """These, whether due or not."""
    later = clock.shift(clock.now(), AGAIN)
    for number in numbers:
        session.execute(update(TargetRow).where(TargetRow.id == number).values(next_at=later))
    return _taken(session, numbers)


def note(session: Session, looked_at: TargetRecord, error: str, evidence: str = "") -> None:
    """What came of it; nothing where it was removed, or leads elsewhere now.

    Who wanted another look meanwhile (a newer file, a change, resumed) gets it.
    """
    row = session.get(TargetRow, looked_at.id, with_for_update=True)
    if row is None or any(getattr(row, name) != getattr(looked_at, name) for name in _LEADS):
        return
    row.run_at = clock.now()
    row.error = error[:2_000]
    if evidence:
        row.read_at, row.evidence = row.run_at, evidence
    if row.next_at == looked_at.next_at:
        row.next_at = clock.shift(row.run_at, DAY if evidence else AGAIN)


def troubles(session: Session, limit: int = 20) -> list[TargetRecord]:
    """Targets whose last look failed."""
    query = select(TargetRow).where(TargetRow.enabled, TargetRow.error != "").order_by(TargetRow.id).limit(limit)
    return [_record(row) for row in session.execute(query).scalars()]


def find(session: Session, number: int) -> TargetRow:
    """For a change, in a write transaction. Raises NotFound."""
    _in_charge(session)
    row = session.get(TargetRow, number, with_for_update=True)
    if row is None:
        raise NotFound(f"there is no target {number}")
    return row


def _take(session: Session, number: int, now: str) -> bool:
    changed = update(TargetRow).where(TargetRow.id == number, TargetRow.next_at <= now).values(next_at=clock.shift(now, AGAIN))
    return bool(session.connection().execute(changed).rowcount)


def _taken(session: Session, numbers: list[int]) -> list[TargetRecord]:
    query = select(TargetRow).where(TargetRow.id.in_(numbers)).order_by(TargetRow.id)
    return [_record(row) for row in session.execute(query.execution_options(populate_existing=True)).scalars()]


def _check_object(session: Session, draft: TargetDraft) -> None:
    if draft.object_id != WHOLE and rows.find_object(session, draft.system_id, draft.object_id).removed_at is not None:
        raise Invalid(f"the object {draft.object_id} was taken out of the system", field="object_id")


@contextmanager
def _only_one(session: Session) -> Iterator[None]:
    try:
        with session.begin_nested():
            yield
            session.flush()
    except IntegrityError as error:
        raise Conflict("this object is looked at by this way already") from error


def _in_charge(session: Session) -> None:
    """The ways in are the operator's: who sees single organisations does not see them. Raises NotFound."""
    if organisations_seen(session) is not None:
        raise NotFound("there are no targets")


def _in_person(who: Principal, way: str) -> None:
    """No key says where the platform goes, and with which secret: a stolen one would look around from here. Raises Denied."""
    if who.key_name and way in OUTWARD:
        raise Denied("a key names no address and no secret", "log in, or ./liandun compliance targets add")


def _told(row: TargetRow) -> dict[str, object]:
    names = ("id", "object_id", "way", "place", "login", "secret", "host")
    authorities = [one.fingerprint for one in read_certificates(row.ca.encode())] if row.ca else []
    return {**{name: getattr(row, name) for name in names}, "authorities": authorities}


def _record(row: TargetRow) -> TargetRecord:
    return TargetRecord(**{name: getattr(row, name) for name in TargetRecord.__struct_fields__})
