"""The audit trail: every act of a person, a key or the system, as the leaves of an append-only Merkle tree (crypto.merkle, SM3).

Asked by GB/T 22239-2019 8.1.4.3 (security audit: user, time, type, result; records protected against deletion, change and
overwriting). An entry, its leaf and the subtrees that it completes are written in the transaction of the change they tell of: if
they cannot be written, the change does not happen. Signed heads (operations.audit.heads), copied to places outside of the
database, pin the tree: whoever can write the database cannot bend what a head has committed to.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from crypto.merkle import Frontier
from kernel.db.unavailable import reason_of
from kernel.errors import StateUnavailable
from operations import clock
from operations.audit.entry import canonical, leaf_of
from operations.audit.models import AuditEntry, AuditHead, AuditNode
from operations.audit.schema import Actor, AuditPage, AuditRecord
from operations.errors import Invalid, NotFound

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

    Raises StateUnavailable where the trail does not take it: then the caller's change must not happen either, so let it pass.
    """
    session.flush()  # what the change itself breaks is not the trail's fault
    try:
        return _append(session.connection(), actor, action, object_type, str(object_id), result, canonical(detail or {}))
    except DBAPIError as error:
        if reason_of(error) is not None:
            raise  # disk full, read-only …: Database.write says it
        raise StateUnavailable(
            f"the audit trail did not take the entry: {error.orig}", "see what ./liandun audit verify finds", reason="audit"
        ) from error


def _append(connection: Connection, actor: Actor, action: str, object_type: str, object_id: str, result: str, detail: str) -> int:
    head = connection.execute(_END).one_or_none()
    if head is None:
        connection.execute(insert(AuditHead), {"id": 1, "last_id": 0, "digest": "", "peaks": b"", "tree_since": clock.now()})
        head = connection.execute(_END).one()
    fields: dict[str, Any] = {
        "id": head.last_id + 1,
        "time": clock.now(),
        "actor": actor.name,
        "address": actor.address,
        "action": action,
        "object_type": object_type,
        "object_id": object_id,
        "result": result,
        "detail": detail,
    }
    fields |= {name: fields[name][:width] for name, width in _WIDTHS.items()}
    leaf, frontier = leaf_of(fields), Frontier.unpack(head.last_id, bytes(head.peaks))
    nodes = [node._asdict() for node in frontier.append(leaf)]
    connection.execute(insert(AuditEntry), fields | {"previous": "", "digest": leaf.hex()})
    connection.execute(insert(AuditNode), nodes)
    connection.execute(_MOVE_END, {"last_id": frontier.size, "digest": frontier.root().hex(), "peaks": frontier.pack()})
    return frontier.size


_END = select(AuditHead.last_id, AuditHead.peaks).where(AuditHead.id == 1).with_for_update()
_MOVE_END = update(AuditHead).where(AuditHead.id == 1)


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


def find(session: Session, entry_id: int) -> AuditRecord:
    """One entry. Raises NotFound."""
    row = session.get(AuditEntry, entry_id)
    if row is None:
        raise NotFound(f"there is no audit entry {entry_id}")
    return _record(row)


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
