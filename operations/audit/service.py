"""The audit trail: every act of a person, a key or the system, chained so that no row can be changed, removed or slipped in unseen.

    digest(n) = SM3(digest(n-1) + canonical JSON of row n without its digests)        digest(0) = 64 zeros

SM3 after GB/T 32905-2016. Asked by GB/T 22239-2019 8.1.4.3 (security audit: user, time, type, result; records protected against
deletion, change and overwriting). An entry is written in the transaction of the change it tells of: if it cannot be written, the
change does not happen. Somebody who can write the database file can still recompute the whole chain; signed heads come with the
evidence log.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from crypto.sm3 import sm3
from kernel.event import timestamp
from operations.audit.models import AuditEntry, AuditHead
from operations.audit.schema import Actor, AuditPage, AuditRecord, Verification
from operations.errors import Invalid

GENESIS = "0" * 64
_COLUMNS = ("id", "time", "actor", "address", "action", "object_type", "object_id", "result", "detail")
_CURSOR = re.compile(r"[0-9]{1,18}")
_WIDTHS = {"actor": 160, "address": 64, "action": 64, "object_type": 32, "object_id": 128}


def append(
    session: Session,
    actor: Actor,
    action: str,
    object_type: str = "",
    object_id: str | int = "",
    *,
    result: str = "success",
    detail: Mapping[str, Any] | None = None,
) -> int:
    """Write one entry in the caller's write transaction and return its number.

    action  dotted verb such as ``alert.change`` or ``session.login``
    result  ``success``, ``failure`` or ``denied``
    detail  what changed (JSON values); never a secret
    """
    head = session.execute(select(AuditHead).where(AuditHead.id == 1).with_for_update()).scalar_one_or_none()
    if head is None:
        head = AuditHead(id=1, last_id=0, digest=GENESIS)
        session.add(head)
    fields = {
        "time": timestamp(datetime.now(UTC)),
        "actor": actor.name,
        "address": actor.address,
        "action": action,
        "object_type": object_type,
        "object_id": str(object_id),
        "result": result,
        "detail": _canonical(detail or {}),
    }
    fields |= {name: fields[name][:width] for name, width in _WIDTHS.items()}
    entry = AuditEntry(id=head.last_id + 1, previous=head.digest, digest="", **fields)
    entry.digest = _digest(entry)
    session.add(entry)
    head.last_id, head.digest = entry.id, entry.digest
    session.flush()
    return entry.id


def listing(
    session: Session,
    *,
    limit: int = 100,
    cursor: str = "",
    actor: str = "",
    action: str = "",
    object_type: str = "",
    object_id: str = "",
    result: str = "",
    start: str = "",
    end: str = "",
) -> AuditPage:
    """Newest entries first, filtered by exact values and by time (``@timestamp`` texts, ``start`` included, ``end`` not)."""
    query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit + 1)
    if cursor:
        if not _CURSOR.fullmatch(cursor):
            raise Invalid("the page cursor cannot be read", "start again from the first page", field="cursor")
        query = query.where(AuditEntry.id < int(cursor))
    for column, value in (
        (AuditEntry.actor, actor),
        (AuditEntry.action, action),
        (AuditEntry.object_type, object_type),
        (AuditEntry.object_id, object_id),
        (AuditEntry.result, result),
    ):
        if value:
            query = query.where(column == value)
    if start:
        query = query.where(AuditEntry.time >= start)
    if end:
        query = query.where(AuditEntry.time < end)
    rows = list(session.execute(query).scalars())
    more = len(rows) > limit
    return AuditPage([_record(row) for row in rows[:limit]], str(rows[limit - 1].id) if more else "")


def verify(session: Session) -> Verification:
    """Walk the whole chain and name the first row that does not fit; also notices removed rows and a cut tail."""
    expected_id, previous, checked = 1, GENESIS, 0
    for entry in session.execute(select(AuditEntry).order_by(AuditEntry.id).execution_options(yield_per=2000)).scalars():
        if entry.id != expected_id:
            return Verification(checked, expected_id, f"row {expected_id} is missing")
        if entry.previous != previous:
            return Verification(checked, entry.id, "does not continue the row before it")
        if entry.digest != _digest(entry):
            return Verification(checked, entry.id, "its content was changed")
        expected_id, previous, checked = entry.id + 1, entry.digest, checked + 1
    head = session.get(AuditHead, 1)
    if head is None:
        return Verification(checked) if not checked else Verification(checked, expected_id, "the head of the chain is missing")
    if head.last_id != checked or head.digest != previous:
        return Verification(checked, expected_id, f"the chain ends at row {checked}, but {head.last_id} rows were written")
    return Verification(checked)


def _digest(entry: AuditEntry) -> str:
    content = _canonical({name: getattr(entry, name) for name in _COLUMNS})
    return sm3((entry.previous + content).encode("utf-8", "surrogatepass")).hex()


def _canonical(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)


def _record(entry: AuditEntry) -> AuditRecord:
    return AuditRecord(
        id=entry.id,
        time=entry.time,
        actor=entry.actor,
        address=entry.address,
        action=entry.action,
        object_type=entry.object_type,
        object_id=entry.object_id,
        result=entry.result,
        detail=json.loads(entry.detail),
    )


def since(session: Session, entry_id: int, *, limit: int = 1000) -> list[AuditRecord]:
    """Entries after number ``entry_id``, oldest first (for those who follow the trail)."""
    query = select(AuditEntry).where(AuditEntry.id > entry_id).order_by(AuditEntry.id).limit(limit)
    return [_record(row) for row in session.execute(query).scalars()]
