"""Records of the audit trail as other rooms see them."""

from __future__ import annotations

from typing import Any

import msgspec


class Actor(msgspec.Struct, frozen=True):
    """Who acts: ``name`` is a user name, ``key:<name> (<owner>)`` or ``system``; ``address`` the peer's IP address."""

    name: str
    address: str = ""


SYSTEM = Actor("system")


class AuditRecord(msgspec.Struct, frozen=True):
    """One act as shown; ``detail`` decoded."""

    id: int
    time: str
    actor: str
    address: str
    action: str
    object_type: str
    object_id: str
    result: str
    detail: dict[str, Any]


class AuditPage(msgspec.Struct, frozen=True):
    """Newest first; ``cursor`` fetches the next page ("" at the end)."""

    entries: list[AuditRecord]
    cursor: str = ""


class Verification(msgspec.Struct, frozen=True):
    """Outcome of walking the chain: ``bad_id`` names the first row that does not fit (0 when all do), ``reason`` why."""

    checked: int
    bad_id: int = 0
    reason: str = ""

    @property
    def ok(self) -> bool:
        return self.bad_id == 0
