"""Records of accounts as other rooms see them, and the policy numbers."""

from __future__ import annotations

import msgspec

from operations.audit.schema import Actor

PERMISSIONS: dict[str, frozenset[str]] = {
    "viewer": frozenset({"alerts.read", "events.read", "rules.read", "sources.read", "zones.read", "assets.read"}),
    "analyst": frozenset(
        {
            "alerts.read",
            "alerts.write",
            "events.read",
            "events.export",
            "rules.read",
            "sources.read",
            "zones.read",
            "assets.read",
            "assets.write",
            "keys.own",
        }
    ),
    "admin": frozenset(
        {
            "alerts.read",
            "alerts.write",
            "events.read",
            "events.export",
            "rules.read",
            "sources.read",
            "zones.read",
            "zones.write",
            "assets.read",
            "assets.write",
            "keys.own",
            "keys.all",
            "webhooks.manage",
            "accounts.manage",
            "audit.read",
            "audit.verify",
            "audit.export",
            "audit.retain",
        }
    ),
}
"""What each role may do. One place; views and the API ask :meth:`Principal.may`."""


class Policy(msgspec.Struct, frozen=True):
    """Numbers of the account rules (GB/T 22239-2019 8.1.4.1 asks for limits, the values are customary). Times in seconds."""

    scheme: str = "argon2id"
    min_length: int = 12
    max_failures: int = 5
    lock_time: int = 600
    idle_time: int = 900
    session_time: int = 8 * 3600
    setup_time: int = 24 * 3600


class Principal(msgspec.Struct, frozen=True):
    """Who stands behind a request, re-read from the database each time.

    ``scope`` is ``write`` for a browser session; an API key may be ``read`` only. ``key_name`` is "" for a session.
    """

    user_id: int
    name: str
    display_name: str
    role: str
    scope: str = "write"
    key_name: str = ""
    address: str = ""

    def may(self, permission: str) -> bool:
        """True where role and scope allow it; a read-only key never writes."""
        if permission not in PERMISSIONS.get(self.role, frozenset()):
            return False
        return self.scope == "write" or permission.endswith((".read", ".export"))

    @property
    def actor(self) -> Actor:
        """For the audit trail."""
        return Actor(f"key:{self.key_name} ({self.name})" if self.key_name else self.name, self.address)


class Login(msgspec.Struct, frozen=True):
    """Outcome of a login: ``token`` (for the cookie) on success, else ``reason`` and, when locked, the seconds left."""

    token: str = ""
    reason: str = ""  # "" | wrong | locked | disabled
    seconds_left: int = 0

    @property
    def ok(self) -> bool:
        return bool(self.token)


class UserRecord(msgspec.Struct, frozen=True):
    """An account as shown."""

    id: int
    name: str
    display_name: str
    role: str
    active: bool
    created_at: str
    last_login_at: str | None


class KeyRecord(msgspec.Struct, frozen=True):
    """An API key as shown; the key itself is told once, when it is made."""

    id: int
    name: str
    prefix: str
    scope: str
    owner: str
    created_at: str
    expires_at: str
    used_at: str | None
    revoked_at: str | None
