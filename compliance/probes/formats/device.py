"""What a configuration of a network device says, in the same words for each dialect. Each statement keeps its lines as evidence."""

from __future__ import annotations

from typing import Literal

import msgspec

Dialect = Literal["huawei", "h3c", "cisco"]
Stored = Literal["clear", "reversible", "hashed"]
USUAL_IDLE = 600
"""Seconds after which a session ends where a configuration says nothing, in each of the dialects."""


class Block(msgspec.Struct, frozen=True):
    """A line and those that are indented below it."""

    head: str
    body: tuple[str, ...] = ()

    def lines(self) -> tuple[str, ...]:
        """All of it."""
        return (self.head, *(f" {line}" for line in self.body))


class Access(msgspec.Struct, frozen=True):
    """A way in: console or vty. ``authentication``: aaa, local, password, none, or "" where nothing is said."""

    block: Block
    is_vty: bool
    authentication: str
    protocols: frozenset[str]
    acl: str
    idle: int


class User(msgspec.Struct, frozen=True):
    """A local account; ``level`` 15 or a role of administrators is ``is_admin``."""

    name: str
    stored: Stored
    is_admin: bool
    lines: tuple[str, ...]


class Community(msgspec.Struct, frozen=True):
    """Of SNMP v1 or v2c."""

    line: str
    is_default: bool
    may_write: bool
    acl: str


class Rule(msgspec.Struct, frozen=True):
    """A rule of a packet filter list that permits everything."""

    acl: str
    line: str


class Password(msgspec.Struct, frozen=True):
    """What new passwords must be; None where nothing is said. ``kinds``: of characters."""

    length: int | None = None
    kinds: int | None = None
    days: int | None = None
    lines: tuple[str, ...] = ()


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """One configuration. Tuples of lines are what was said; empty where nothing was.

    telnet, http, ftp   services that are switched on
    ssh                 its server is on; ``old_ssh``: version 1 too
    aaa_servers         where accounts are asked for: RADIUS, TACACS+
    lockout             what ends guessing
    secrets             lines with a secret in clear or reversible
    """

    dialect: Dialect
    name: str
    access: tuple[Access, ...]
    users: tuple[User, ...]
    communities: tuple[Community, ...]
    snmp_v3: tuple[str, ...]
    snmp_on: bool
    telnet: tuple[str, ...]
    http: tuple[str, ...]
    ftp: tuple[str, ...]
    other_services: tuple[str, ...]
    ssh: tuple[str, ...]
    old_ssh: tuple[str, ...]
    management_acls: tuple[str, ...]
    aaa_servers: tuple[str, ...]
    log_hosts: tuple[str, ...]
    logging_off: tuple[str, ...]
    time_servers: tuple[str, ...]
    time_authenticated: bool
    password: Password
    lockout: tuple[str, ...]
    attempts: int | None
    open_rules: tuple[Rule, ...]
    rules: int
    clear_secrets: tuple[str, ...]
    reversible_secrets: tuple[str, ...]


def blocks(text: str) -> list[Block]:
    """Lines that begin at the margin, each with the indented ones that follow up to a separator (Comware indents all lines)."""
    found: list[tuple[str, list[str]]] = []
    is_open = False
    for line in text.splitlines():
        plain = line.strip()
        if not plain or plain[0] in "#!" or plain in ("return", "end", "exit"):
            is_open = is_open and line[:1] not in ("#", "!")
            continue
        is_below = line[0] in " \t"
        if is_below and is_open:
            found[-1][1].append(plain)
        else:
            found.append((plain, []))
            is_open = not is_below
    return [Block(head, tuple(body)) for head, body in found]


def every_line(found: list[Block]) -> list[str]:
    """All lines, at the margin and below."""
    return [line for block in found for line in (block.head, *block.body)]


def starting(lines: list[str], *words: str) -> tuple[str, ...]:
    """Lines that begin with one of ``words``."""
    return tuple(line for line in lines if line.startswith(words))
