"""Accounts of passwd(5), groups of group(5), and the lines that a snapshot makes of shadow(5): no hash, only its kind."""

from __future__ import annotations

import msgspec

from compliance.probes.facts import Unreadable
from compliance.probes.formats.keyed import number

NO_SHELL = ("nologin", "false", "sync", "shutdown", "halt")
"""Programs after which nobody has a shell: of the last three, the historical ones."""


class Account(msgspec.Struct, frozen=True):
    """A line of passwd."""

    name: str
    uid: int
    home: str
    shell: str

    @property
    def may_log_in(self) -> bool:
        """Whether its shell is one; an empty shell is /bin/sh."""
        return self.shell.rpartition("/")[2] not in NO_SHELL


class Password(msgspec.Struct, frozen=True):
    """``kind``: empty, locked, or the hash (1, 5, 6, y, gy, sm3, des …); days since 1970 or None."""

    name: str
    kind: str
    changed: int | None
    least: int | None
    most: int | None
    warned: int | None
    inactive: int | None
    expires: int | None

    @property
    def is_set(self) -> bool:
        """Whether one can log in with it."""
        return self.kind not in ("locked", "empty")


def accounts(passwd: str) -> list[Account]:
    """Lines that are none are left out."""
    found = []
    for line in passwd.splitlines():
        fields = line.split(":")
        uid = number(fields[2]) if len(fields) == 7 else None
        if uid is not None and not line.startswith(("+", "-", "#")):
            found.append(Account(fields[0], uid, fields[5], fields[6].strip()))
    return found


def passwords(lines: list[str]) -> list[Password]:
    """Of the part ``shadow``. Raises Unreadable where there is none."""
    found = []
    for line in lines:
        fields = line.split(":")
        if len(fields) == 8:
            found.append(Password(fields[0], fields[1], *(number(text) for text in fields[2:])))
    if not found:
        raise Unreadable("no account has a line in /etc/shadow", "/etc/shadow 中没有账户")
    return found


def members(group: str) -> dict[str, set[str]]:
    """Members of each group; not those that have it as their first one."""
    lines = (line.split(":") for line in group.splitlines())
    return {fields[0]: {name for name in fields[3].strip().split(",") if name} for fields in lines if len(fields) == 4}
