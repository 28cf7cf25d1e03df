"""Rows that dm_export.sql prints of a DM 8 server."""

from __future__ import annotations

import msgspec

from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.keyed import number


class Account(msgspec.Struct, frozen=True):
    """0 is no limit: ``attempts``, ``lock``, ``idle`` (minutes), ``lifetime`` (days), ``reuse``. ``sources``: Y where limited."""

    user: str
    status: str
    attempts: str
    lock: str
    lifetime: str
    reuse: str
    idle: str
    sources: str


class Administrator(msgspec.Struct, frozen=True):
    """Who has a role of administrators."""

    user: str
    role: str


class PublicRight(msgspec.Struct, frozen=True):
    """What everybody may do with an object."""

    name: str
    right: str


class _Variable(msgspec.Struct, frozen=True):
    name: str
    value: str


class _Rules(msgspec.Struct, frozen=True):
    rules: str


def variables(facts: Facts, *names: str) -> list[str]:
    """Values of dm.ini. Raises Unreadable where one is not there."""
    found = {one.name: one.value for one in facts.rows("variables", list[_Variable])}
    missing = [name for name in names if name not in found]
    if missing:
        raise Unreadable(f"the server does not say {', '.join(missing)}", f"服务器未给出 {'、'.join(missing)}")
    return [found[name] for name in names]


def accounts(facts: Facts) -> list[Account]:
    """Those that can log in; SYS never can. Raises Unreadable."""
    found = facts.rows("accounts", list[Account])
    if not found:
        raise Unreadable("the server says no accounts", "服务器未列出账户")
    return [one for one in found if one.status.upper().startswith("OPEN") and one.user != "SYS"]


def rules(facts: Facts) -> int:
    """How many audit rules there are. Raises Unreadable."""
    found = facts.rows("audits", list[_Rules])
    return whole(found[0].rules) if found else 0


def whole(text: str) -> int:
    """A number. Raises Unreadable for what is none."""
    found = number(text)
    if found is None:
        raise Unreadable(f"{text[:40]!r} is no number", f"{text[:40]!r} 不是数字")
    return found
