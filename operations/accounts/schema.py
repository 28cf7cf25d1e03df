"""Records of accounts as other rooms see them, and the policy numbers."""

from __future__ import annotations

import msgspec

from operations.accounts.permissions import CITY_WIDE, PERMISSIONS, POWERS, reading
from operations.audit.schema import Actor

DAY = 86_400


class Policy(msgspec.Struct, frozen=True):
    """Numbers of the account rules (GB/T 22239-2019 8.1.4.1 asks for limits, the values are customary). Times in seconds.

    second_factor   ``all``, or ``administrators``: then the business roles may do without (a demonstration)
    totp            digest of new one-time passwords: ``sha1`` (RFC 6238, what authenticator apps know) or ``sm3`` (GM/T 0021)
    admin_networks  networks that the three powers may come from; empty = from everywhere
    """

    scheme: str = "argon2id"
    min_length: int = 12
    max_length: int = 128
    min_score: int = 3
    history: int = 5
    max_age: int = 90 * DAY
    warn_age: int = 7 * DAY
    max_failures: int = 5
    lock_time: int = 600
    idle_time: int = 1800
    admin_idle_time: int = 900
    session_time: int = 8 * 3600
    half_time: int = 900
    single_session: bool = False
    setup_time: int = DAY
    fresh_time: int = 300
    proposal_time: int = 7 * DAY
    unused_time: int = 90 * DAY
    second_factor: str = "all"
    totp: str = "sha1"
    admin_networks: tuple[str, ...] = ()

    def idle_of(self, role: str) -> int:
        """Seconds without an act after which a session of this role ends."""
        return self.admin_idle_time if role in POWERS else self.idle_time

    def needs_factor(self, role: str) -> bool:
        """Must somebody with this role have a second factor?"""
        return self.second_factor == "all" or role in POWERS


class Reach(msgspec.Struct, frozen=True):
    """What an account is limited to: organisations (owners of zones) and zones, both together. Empty = the whole city."""

    organisations: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.organisations or self.zones)


class Principal(msgspec.Struct, frozen=True):
    """Who stands behind a request, re-read from the database each time.

    zones      ids of the zones that may be seen, None = all
    organisations  names of the organisations of the scope
    granted    what an API key was given of its owner's permissions, None = a person: all of them
    key_name   "" for a session
    session    id of the session
    factor     how the second factor was proven in this session, "" = not
    proved_at  when the person last proved who they are
    pending    what has to be done before anything else: ``factor`` (prove it), ``enrol`` (get one), ``password`` (a new one)
    warn_days  days until the password expires, where that is soon
    """

    user_id: int
    name: str
    display_name: str
    role: str
    address: str = ""
    zones: frozenset[str] | None = None
    organisations: frozenset[str] = frozenset()
    granted: frozenset[str] | None = None
    key_name: str = ""
    session: str = ""
    factor: str = ""
    proved_at: str = ""
    fresh: bool = False
    pending: str = ""
    warn_days: int | None = None

    @property
    def permissions(self) -> frozenset[str]:
        """Everything that this person or key may do here."""
        found = PERMISSIONS.get(self.role, frozenset()) if not self.pending else frozenset()
        if self.zones is not None:
            found -= CITY_WIDE
        return found if self.granted is None else found & self.granted

    def may(self, permission: str) -> bool:
        """True where role, scope and key allow it."""
        return permission in self.permissions

    @property
    def scope(self) -> str:
        """``read`` where nothing can be changed, else ``write``."""
        return "read" if self.permissions == reading(self.permissions) else "write"

    @property
    def actor(self) -> Actor:
        """For the audit trail. A key's name may be cut, its owner's never: others compare it (160 letters are kept)."""
        return Actor(f"key:{self.key_name[:80]} ({self.name})" if self.key_name else self.name, self.address)


class Login(msgspec.Struct, frozen=True):
    """Outcome of a login: ``token`` (for the cookie) on success, else ``reason`` and, when locked, the seconds left."""

    token: str = ""
    reason: str = ""  # "" | wrong | locked | disabled | network
    seconds_left: int = 0

    @property
    def ok(self) -> bool:
        return bool(self.token)


class UserRecord(msgspec.Struct, frozen=True):
    """An account as shown. ``origin``: local, ldap or oidc; ``expires_at``, ``removed_at`` None = not."""

    id: int
    name: str
    display_name: str
    role: str
    active: bool
    created_at: str
    last_login_at: str | None
    organisations: list[str] = []
    zones: list[str] = []
    origin: str = "local"
    expires_at: str | None = None
    removed_at: str | None = None
    disabled_for: str = ""
    factors: int = 0
    invited: bool = False


class UserPage(msgspec.Struct, frozen=True):
    """One page of accounts; ``cursor`` fetches the next ("" at the end)."""

    accounts: list[UserRecord]
    cursor: str = ""
    total: int = 0


class ProposalRecord(msgspec.Struct, frozen=True):
    """A change of somebody's role or scope, or a reset of their password or factors, that a second person decides on.

    kind   ``role``, ``password`` or ``factors``
    state  ``open``, ``confirmed``, ``refused``, ``withdrawn`` or ``lapsed``
    """

    id: int
    user_id: int
    name: str
    kind: str
    role: str
    before: str
    organisations: list[str]
    zones: list[str]
    expires_at: str | None
    reason: str
    state: str
    proposed_by: str
    proposed_at: str
    decided_by: str
    decided_at: str | None


class SessionRecord(msgspec.Struct, frozen=True):
    """A session as its owner sees it; ``id`` ends it."""

    id: str
    created_at: str
    seen_at: str
    expires_at: str
    address: str
    user_agent: str
    factor: str
    current: bool = False


class FactorRecord(msgspec.Struct, frozen=True):
    """A second factor as its owner sees it. ``kind``: totp, webauthn or certificate; ``detail``: digest, or the subject."""

    id: int
    kind: str
    name: str
    detail: str
    created_at: str
    used_at: str | None


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
    permissions: list[str] = []
    networks: list[str] = []
