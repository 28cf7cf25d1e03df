"""Indicators: add by hand, import, revoke. Every act is audited; an import by its beginning and its end.

A value stands once for each origin. What comes again is brought up to date: its confidence, its end, whether it was taken back. An
import is stored piece by piece, so that a large one keeps nobody waiting; what a broken one had stored stays, and the next one with
the same file changes nothing of it.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from functools import lru_cache
from itertools import islice
from typing import Any, cast

import msgspec
from sqlalchemy import Table, insert, select, update
from sqlalchemy.orm import Session

from crypto.sm3 import sm3
from kernel.db import Database
from kernel.event import parse_timestamp
from kernel.indicators.values import Value, guessed, written
from operations import clock
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.errors import Conflict, Invalid, NotFound
from operations.indicators import formats
from operations.indicators.guard import Guard
from operations.indicators.models import IndicatorRow
from operations.indicators.schema import TLP, Candidate, IndicatorRecord, Outcome, Refused
from operations.written import name, text

HAND, INCIDENT = "hand", "incident"
"""Origins of what people add, one by one; no import takes their place."""
DAYS: dict[str, int] = {"address": 90, "network": 90, "url": 90, "domain": 180, "email": 180, "hash": 730}
"""How long an indicator that names no end holds: addresses change hands within months, a hash never does."""

MOST_DAYS = 3650
MAX_NOTE, MAX_REFERENCE, MAX_ORIGIN, MAX_REASON = 500, 500, 64, 500
MOST = 1_000_000
"""Values of one import."""
PIECE = 2_000


class _Fields(msgspec.Struct, frozen=True):
    """What an import may change of a row."""

    confidence: int
    tlp: str
    note: str
    reference: str
    valid_until: str


class _Taken(msgspec.Struct, frozen=True):
    """A candidate that is taken. ``value`` as it is written."""

    key: str
    value: Value
    fields: _Fields
    revoked: bool
    has_end: bool


def add(session: Session, who: Actor, candidate: Candidate, *, origin: str = HAND, confidence: int = 75) -> IndicatorRecord:
    """One indicator. Raises Invalid where it must not be watched for, Conflict where it stands there already and holds."""
    present = clock.now()
    taken = _taken(candidate, name(origin, "origin", MAX_ORIGIN), confidence, Guard(session), present)
    if isinstance(taken, Refused):
        raise Invalid(taken.reason, field="value")
    row = session.execute(select(IndicatorRow).where(IndicatorRow.key == taken.key)).scalar_one_or_none()
    if row is not None and state_of(row.revoked_at, row.valid_until, present) == "active":
        raise Conflict(f"{taken.value.text[:80]} stands here already", "change it where it stands")
    if row is None:
        row = IndicatorRow(**_fresh(taken, origin, who.name, present))
        session.add(row)
    else:
        _renew(row, taken.fields, present)
    session.flush()
    detail = {"kind": row.kind, "value": row.value, "origin": row.origin, "valid_until": row.valid_until}
    audit.append(session, who, "indicator.add", "indicator", row.id, detail=detail)
    return record_of(row, present)


def revoke(session: Session, who: Actor, number: int, reason: str, *, expected_version: int | None) -> IndicatorRecord:
    """It is watched for no more. Raises NotFound, Invalid, Conflict."""
    row = _find(session, number, expected_version)
    if row.revoked_at:
        raise Conflict("it was revoked already")
    words = text(reason, "reason", MAX_REASON, needed=True)
    row.revoked_at, row.revoked_by = clock.now(), who.name
    row.version, row.changed_at = row.version + 1, row.revoked_at
    audit.append(session, who, "indicator.revoke", "indicator", row.id, detail={"value": row.value, "reason": words})
    return record_of(row, row.changed_at)


def change(
    session: Session, who: Actor, number: int, *, confidence: int, valid_until: str, note: str, expected_version: int | None
) -> IndicatorRecord:
    """Another confidence, end or note; one that had been revoked holds again. Raises NotFound, Invalid, Conflict."""
    row, present = _find(session, number, expected_version), clock.now()
    before = {"confidence": row.confidence, "valid_until": row.valid_until, "note": row.note, "revoked_at": row.revoked_at}
    end = _end(valid_until, row.kind, present)
    _renew(row, _Fields(_confidence(confidence), row.tlp, text(note, "note", MAX_NOTE), row.reference, end), present)
    session.flush()
    after = {"confidence": row.confidence, "valid_until": row.valid_until, "note": row.note, "revoked_at": row.revoked_at}
    detail = {"value": row.value, "before": before, "after": after}
    audit.append(session, who, "indicator.change", "indicator", row.id, detail=detail)
    return record_of(row, present)


def bring_in(
    database: Database,
    who: Actor,
    found: Iterable[Candidate | Refused],
    *,
    origin: str,
    file: str = "",
    confidence: int = 50,
    dry: bool = False,
    progress: Callable[[int], None] = lambda count: None,
) -> Outcome:
    """Store what a file holds; with ``dry`` only say what would come of it. Raises Invalid for an origin or a confidence that is
    none, and for more than MOST values; what came before them is stored then."""
    origin, confidence = name(origin, "origin", MAX_ORIGIN), _confidence(confidence)
    if origin in (HAND, INCIDENT):
        raise Invalid(f"{origin!r} is what people add one by one", "name the source", field="origin")
    outcome, count = Outcome(), 0
    with database.read() as session:
        guard = Guard(session)
    if not dry:
        with database.write() as session:
            detail: dict[str, Any] = {"origin": origin, "file": file[:200], "confidence": confidence}
            audit.append(session, who, "indicators.import", "indicators", origin, detail=detail)
    try:
        for piece in _pieces(found):
            count += len(piece)
            if count > MOST:
                raise Invalid(f"an import has at most {MOST:,} values", "split the file")
            _store(database, who, piece, guard, origin, confidence, outcome, dry)
            progress(count)
    finally:
        if not dry:
            counts = {name: getattr(outcome, name) for name in ("added", "changed", "same", "revoked", "refused_count")}
            with database.write() as session:
                audit.append(session, who, "indicators.imported", "indicators", origin, detail=counts)
    return outcome


def bring_in_octets(
    database: Database,
    who: Actor,
    octets: bytes,
    file: str,
    *,
    form: str = "",
    origin: str,
    confidence: int = 50,
    dry: bool = False,
) -> Outcome:
    """The same for a file that is at hand as a whole; ``form`` "" = recognised. Raises Invalid."""
    found = formats.read(form or formats.form_of(file, octets[:4096]), io.BytesIO(octets))
    return bring_in(database, who, found, origin=origin, file=file, confidence=confidence, dry=dry)


def state_of(revoked_at: str, valid_until: str, present: str) -> str:
    """One of schema.STATES."""
    return "revoked" if revoked_at else "expired" if valid_until <= present else "active"


def record_of(row: IndicatorRow, present: str) -> IndicatorRecord:
    """The row as people see it at ``present``."""
    values = {field: getattr(row, field) for field in IndicatorRecord.__struct_fields__ if field != "state"}
    return IndicatorRecord(**values, state=state_of(row.revoked_at, row.valid_until, present))


def _store(
    database: Database, who: Actor, piece: list[Candidate | Refused], guard: Guard, origin: str, confidence: int,
    outcome: Outcome, dry: bool,
) -> None:  # fmt: skip
    present = clock.now()
    wanted: dict[str, _Taken] = {}
    for one in piece:
        taken = one if isinstance(one, Refused) else _taken(one, origin, confidence, guard, present)
        if isinstance(taken, Refused):
            outcome.refuse(taken.place, taken.value, taken.reason)
        else:
            wanted[taken.key] = taken
    if not wanted:
        return
    with database.read() if dry else database.write() as session:
        there = _there(session, list(wanted))
        fresh = []
        for key, taken in wanted.items():
            row = there.get(key)
            if row is None:
                if taken.revoked:
                    outcome.same += 1  # taken back before we had it
                else:
                    outcome.added += 1
                    fresh.append(_fresh(taken, origin, who.name, present))
            elif taken.revoked:
                outcome.revoked, outcome.same = outcome.revoked + (not row.revoked_at), outcome.same + bool(row.revoked_at)
                if not dry and not row.revoked_at:
                    values = {"revoked_at": present, "revoked_by": origin, "changed_at": present, "version": row.version + 1}
                    session.execute(update(IndicatorRow).where(IndicatorRow.id == row.id).values(values))
            elif _is_news(row, taken, present):
                outcome.changed += 1
                if not dry:
                    _renew(row, taken.fields, present)
            else:
                outcome.same += 1
        if fresh and not dry:
            session.execute(insert(cast(Table, IndicatorRow.__table__)), fresh)


def _there(session: Session, keys: list[str]) -> dict[str, IndicatorRow]:
    """Key → row. Most keys of a new feed are in no row, and most of one that comes again in an unchanged one."""
    found: dict[str, IndicatorRow] = {}
    for start in range(0, len(keys), 500):
        query = select(IndicatorRow).where(IndicatorRow.key.in_(keys[start : start + 500]))
        found |= {row.key: row for row in session.execute(query).scalars()}
    return found


def _is_news(row: IndicatorRow, taken: _Taken, present: str) -> bool:
    """Whether the file says something else than the row. Without an end of its own it renews only what is past its middle: the
    same file every hour must not write a million rows."""
    fields = taken.fields
    if row.revoked_at and row.revoked_by != row.origin:
        return False  # people revoked it: a file does not bring it back
    if (row.confidence, row.tlp, row.note, row.reference) != (fields.confidence, fields.tlp, fields.note, fields.reference):
        return True
    if taken.has_end:
        return row.valid_until != fields.valid_until or bool(row.revoked_at)
    return bool(row.revoked_at) or row.valid_until < clock.shift(present, DAYS[row.kind] * 43_200)


def _pieces(found: Iterable[Candidate | Refused]) -> Iterator[list[Candidate | Refused]]:
    iterator = iter(found)
    while piece := list(islice(iterator, PIECE)):
        yield piece


def _taken(one: Candidate, origin: str, confidence: int, guard: Guard, present: str) -> _Taken | Refused:
    try:
        value = written(one.kind, one.value) if one.kind else guessed(one.value)
        if objection := guard.objection(value):
            return Refused(one.place, one.value, objection)
        end = _end(one.valid_until, value.kind, present)
        if end <= present and not one.revoked:
            return Refused(one.place, one.value, f"it ended {end[:10]}")
        sure = _confidence(confidence if one.confidence is None else one.confidence)
        tlp = one.tlp.lower().removeprefix("tlp:").replace("white", "clear").strip()
        if tlp and tlp not in TLP:
            return Refused(one.place, one.value, f"there is no TLP label {one.tlp[:20]!r}")
        fields = _Fields(sure, tlp, _cut(one.note, MAX_NOTE), _cut(one.reference, MAX_REFERENCE), end)
    except ValueError as error:
        return Refused(one.place, one.value, str(error))
    except Invalid as error:
        return Refused(one.place, one.value, error.message)
    key = sm3("\0".join((value.kind, value.text, origin)).encode("utf-8", "replace")).hex()
    return _Taken(key, value, fields, one.revoked, bool(one.valid_until))


def _end(asked: str, kind: str, present: str) -> str:
    if not asked.strip():
        return _usual_end(present, kind)
    found = parse_timestamp(asked.strip())
    if found is None:
        raise Invalid(f"{asked[:40]!r} is no moment", "write 2027-06-30T00:00:00+08:00", field="valid_until")
    return min(found, clock.shift(present, timedelta(days=MOST_DAYS).total_seconds()))


@lru_cache(32)
def _usual_end(present: str, kind: str) -> str:
    return clock.shift(present, timedelta(days=DAYS[kind]).total_seconds())


def _confidence(value: int) -> int:
    if not 0 <= value <= 100:
        raise Invalid("confidence is a number from 0 to 100", field="confidence")
    return value


def _cut(words: str, most: int) -> str:
    return " ".join(words.replace("\0", "").encode("utf-8", "replace").decode().split())[:most]


def _fresh(taken: _Taken, origin: str, by: str, present: str) -> dict[str, Any]:
    return {
        "key": taken.key, "kind": taken.value.kind, "value": taken.value.text, "origin": origin,
        **msgspec.structs.asdict(taken.fields), "revoked_at": "", "revoked_by": "", "created_at": present, "created_by": by,
        "changed_at": present, "version": 1,
    }  # fmt: skip


def _renew(row: IndicatorRow, fields: _Fields, present: str) -> None:
    for field, value in msgspec.structs.asdict(fields).items():
        setattr(row, field, value)
    row.revoked_at = row.revoked_by = ""
    row.changed_at, row.version = present, row.version + 1


def _find(session: Session, number: int, expected_version: int | None) -> IndicatorRow:
    row = session.execute(select(IndicatorRow).where(IndicatorRow.id == number).with_for_update()).scalar_one_or_none()
    if row is None:
        raise NotFound(f"there is no indicator {number}")
    if expected_version is not None and expected_version != row.version:
        raise Conflict("this was changed by somebody else", "read it again and decide once more")
    return row
