"""Records of webhooks as other rooms see them. The signing secret is told once, when a target is made or its secret renewed."""

from __future__ import annotations

from typing import Any

import msgspec


class TargetRecord(msgspec.Struct, frozen=True):
    """A target as shown.

    url           without its path where that holds a token
    failures      rounds since the last success
    paused_until  the circuit breaker is open until then; "" = it is closed
    """

    id: int
    name: str
    url: str
    min_level: str
    enabled: bool
    created_at: str
    created_by: str
    version: int
    kind: str = "standard"
    settings: dict[str, Any] = {}
    failures: int = 0
    paused_until: str = ""
    routing: dict[str, Any] = {}


class DeliveryRecord(msgspec.Struct, frozen=True):
    """A delivery as shown; ``due_at`` is the next attempt of a pending one."""

    id: int
    target_id: int
    message_id: str
    event_type: str
    status: str
    attempts: int
    due_at: str
    created_at: str
    finished_at: str | None


class AttemptRecord(msgspec.Struct, frozen=True):
    """One attempt."""

    time: str
    milliseconds: int
    status_code: int | None
    error: str
    answer: str


class DeliveryPage(msgspec.Struct, frozen=True):
    """Newest first; ``cursor`` fetches the next page ("" at the end)."""

    deliveries: list[DeliveryRecord]
    cursor: str = ""


class Sent(msgspec.Struct, frozen=True):
    """What a round of sending did."""

    delivered: int = 0
    failed: int = 0
    dead: int = 0
