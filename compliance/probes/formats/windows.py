"""Rows that the export script has of a Windows host (reading/windows_export.ps1). Moments are seconds since 1970, UTC."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from compliance.probes.facts import Facts, Unreadable

ADMINISTRATORS = "S-1-5-32-544"
EVERYBODY = ("S-1-1-0", "S-1-5-7", "S-1-5-11", "S-1-5-32-545", "S-1-5-32-546")
"""Everyone, anonymous, authenticated users, Users, Guests."""
DAY = 86_400
_T = TypeVar("_T")


class System(msgspec.Struct, frozen=True):
    """``role``: 1 a workstation, 2 a domain controller, 3 a server. ``now``: by its own clock."""

    name: str
    caption: str
    build: str
    role: int
    now: int


class Service(msgspec.Struct, frozen=True):
    """A service: Running, Stopped …; Auto, Manual, Disabled."""

    name: str
    state: str
    start: str


class Grant(msgspec.Struct, frozen=True):
    """Who may do what with a share: a SID or name; Full, Change, Read."""

    who: str
    right: str


class Share(msgspec.Struct, frozen=True):
    """``is_special``: made by Windows for itself (C$, ADMIN$, IPC$)."""

    name: str
    path: str
    is_special: bool
    grants: tuple[Grant, ...] = ()


class Listener(msgspec.Struct, frozen=True):
    """A port that is open. ``protocol``: tcp or udp."""

    protocol: str
    address: str
    port: int
    program: str

    @property
    def is_remote(self) -> bool:
        """Whether others than the host itself may come to it."""
        return not self.address.startswith("127.") and self.address not in ("::1", "::ffff:127.0.0.1")


class Hotfix(msgspec.Struct, frozen=True):
    """An update; ``at`` None where Windows does not say when."""

    id: str
    at: int | None


class Defender(msgspec.Struct, frozen=True):
    """State of Microsoft Defender; ``signatures``: when they were updated."""

    enabled: bool
    realtime: bool
    signatures: int | None


class Product(msgspec.Struct, frozen=True):
    """Another product against malware that the security centre knows (workstations only). ``state``: its bits."""

    name: str
    state: int

    @property
    def is_on(self) -> bool:
        """Bits 12 to 15: 1 is on."""
        return (self.state >> 12) & 0xF == 1

    @property
    def is_current(self) -> bool:
        """Bits 4 to 7: 0 is up to date."""
        return (self.state >> 4) & 0xF == 0


class Profile(msgspec.Struct, frozen=True):
    """Of the firewall: Domain, Private, Public. ``inbound``: Block, Allow, NotConfigured (Block)."""

    name: str
    enabled: bool
    inbound: str


class PortRule(msgspec.Struct, frozen=True):
    """A rule that lets others through to remote desktop or WinRM; ``sources``: addresses, or Any."""

    name: str
    ports: tuple[str, ...]
    sources: tuple[str, ...]


class Account(msgspec.Struct, frozen=True):
    """A local account; moments None: never."""

    name: str
    sid: str
    enabled: bool
    password_required: bool
    password_expires: bool
    last_logon: int | None
    password_set: int | None

    @property
    def is_built_in_administrator(self) -> bool:
        """Whatever its name is now."""
        return self.sid.endswith("-500")

    @property
    def is_guest(self) -> bool:
        """Whatever its name is now."""
        return self.sid.endswith("-501")


class Member(msgspec.Struct, frozen=True):
    """Of the group Administrators."""

    name: str
    sid: str


class Volume(msgspec.Struct, frozen=True):
    """As BitLocker sees it. ``protected``: encrypted, and its key is not lying open."""

    mount: str
    protected: bool
    percent: int


class Log(msgspec.Struct, frozen=True):
    """An event log. ``most``: octets; ``mode``: Circular, AutoBackup, Retain; ``oldest``: of its records."""

    name: str
    enabled: bool
    most: int
    mode: str
    oldest: int | None


class Smb(msgspec.Struct, frozen=True):
    """The server for shares."""

    version_1: bool
    signing: bool


def one(facts: Facts, part: str, kind: type[_T]) -> _T:
    """The only row of a part. Raises Unreadable."""
    return rows(facts, part, kind)[0]


def rows(facts: Facts, part: str, kind: type[_T]) -> list[_T]:
    """Rows of a part of which a host has some at all times. Raises Unreadable where there are none."""
    found = facts.rows(part, list[kind])  # type: ignore[valid-type]
    if not found:
        raise Unreadable(f"{part} is empty", f"{part} 为空")
    return found
