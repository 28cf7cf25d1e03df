"""The platform's own audit trail as events, so that rules watch the watchers (``product: liandun``).

Raw form: JSON of one audit entry (operations.audit.schema.AuditRecord). Dataset ``liandun.auth`` for log-ins, ``liandun.audit`` for
all else; ECS names after https://www.elastic.co/guide/en/ecs/current/ecs-event.html.
"""

from __future__ import annotations

from typing import Any

import msgspec

from collectors.parsers.fields import flatten
from kernel.errors import ParseError
from kernel.event import Event, is_ip, parse_timestamp
from kernel.record import RawRecord

_OUTCOMES = {"success": "success", "failure": "failure", "denied": "failure"}


class _Entry(msgspec.Struct):
    id: int
    time: str
    actor: str
    action: str
    address: str = ""
    object_type: str = ""
    object_id: str = ""
    result: str = ""
    detail: dict[str, Any] = {}


_decode = msgspec.json.Decoder(_Entry).decode


def parse(record: RawRecord) -> list[Event]:
    """One audit entry → one event."""
    try:
        entry = _decode(record.raw)
    except msgspec.DecodeError as error:
        raise ParseError(f"not an audit entry: {error}") from error
    login = entry.action == "session.login"
    event: Event = {
        "event.kind": "event",
        "event.module": "liandun",
        "event.dataset": "liandun.auth" if login else "liandun.audit",
        "event.category": ["authentication"] if login else ["configuration"],
        "event.type": ["start"] if login else ["change"],
        "event.action": "login" if login else entry.action.replace(".", "-"),
        "event.outcome": _OUTCOMES.get(entry.result, "unknown"),
        "event.sequence": entry.id,
        "event.original": record.raw.decode("utf-8", "replace"),
        "user.name": entry.object_id if login and entry.object_id else entry.actor,
        "message": f"{entry.actor} {entry.action} {entry.object_type} {entry.object_id} {entry.result}".strip(),
        "liandun.audit.object_type": entry.object_type,
        "liandun.audit.object_id": entry.object_id,
    }
    flatten(entry.detail, "liandun.audit.detail", event)
    if stamp := parse_timestamp(entry.time):
        event["@timestamp"] = stamp
    if entry.address and is_ip(entry.address):
        event["source.ip"] = entry.address
    return [event]
