"""Entries that a directory gave: its policies and its configuration (slapd-config(5))."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.keyed import number

POLICY_CONTROL = "1.3.6.1.4.1.42.2.27.8.5.1"
"""Of the password policy (draft-behera-ldap-password-policy-10, 6): a directory that enforces one has it."""
_ORDER = re.compile(r"^\{-?\d+\}")
_OTHERS = frozenset({"*", "anonymous", "users"})
_READING = ("read", "write", "manage", "add", "delete")


class Policy(msgspec.Struct, frozen=True):
    """A password policy; 0 is what none of it means. Seconds."""

    dn: str
    length: int
    quality: int
    age: int
    history: int
    locks: bool
    failures: int
    locked: int


class Entry(msgspec.Struct, frozen=True):
    """An entry of the configuration; ``values`` by attribute."""

    dn: str
    values: dict[str, tuple[str, ...]]

    def first(self, name: str) -> str:
        """The first value, "" where there is none."""
        return next(iter(self.values.get(name, ())), "")


class Root(msgspec.Struct, frozen=True, rename={"controls": "supportedControl", "extensions": "supportedExtension"}):
    """What the directory can do, as numbers of controls and extended operations."""

    controls: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()


class Plain(msgspec.Struct, frozen=True):
    """The answer to a password in clear (result code of RFC 4511, A.1)."""

    code: int
    name: str


class Anonymous(msgspec.Struct, frozen=True):
    """What somebody sees who has not logged in."""

    bound: bool
    entries: int
    passwords: int


def policies(facts: Facts) -> list[Policy]:
    """Policies that are enforced; none where the directory has no such control. Raises Unreadable."""
    if POLICY_CONTROL not in facts.rows("root", Root).controls:
        return []
    return [_policy(entry) for entry in facts.rows("policies", list[dict[str, str | list[str]]])]


def config(facts: Facts) -> list[Entry]:
    """Raises Unreadable."""
    found = []
    for row in facts.rows("config", list[dict[str, str | list[str]]]):
        values = {name: tuple(told) for name, told in row.items() if isinstance(told, list)}
        found.append(Entry(str(row.get("dn", "")), values))
    if not found:
        raise Unreadable("the login may not read cn=config", "登录账户无权读取 cn=config")
    return found


def whole(entries: list[Entry], name: str) -> tuple[str, ...]:
    """Values of the server as a whole (the entry ``cn=config``)."""
    return next((one.values.get(name, ()) for one in entries if one.dn.lower() == "cn=config"), ())


def databases(entries: list[Entry]) -> list[Entry]:
    """Those that hold a directory of somebody: they have a suffix, and it is none of the server's own."""
    own = {"cn=config", "cn=monitor", "cn=accesslog", "cn=log"}
    return [one for one in entries if one.first("olcSuffix") and one.first("olcSuffix").lower() not in own]


def who_reads_passwords(database: Entry, server: tuple[str, ...]) -> list[str]:
    """Rules that let others than the owner read ``userPassword``: the first one that speaks of it counts (slapd.access(5)).

    ``server``: rules that come after those of the database. Nothing said at all means that all may read.
    """
    rules = [*database.values.get("olcAccess", ()), *server]
    for rule in (_ORDER.sub("", one).strip() for one in rules):
        what, *clauses = re.split(r"\s+by\s+", rule)
        if _speaks_of_passwords(what):
            return [f"{what} by {clause}" for clause in clauses if _lets_others_read(clause)]
    return ["access to * by * read"] if not rules else []


def _speaks_of_passwords(what: str) -> bool:
    words = what.partition("to ")[2].split()
    named = next((word.partition("=")[2] for word in words if word.startswith(("attrs=", "attr="))), None)
    if named is None:
        return True  # entries as a whole
    return "userpassword" in {name.strip().lower() for name in named.split(",")}


def _lets_others_read(clause: str) -> bool:
    words = clause.split()
    if not words or words[0] not in _OTHERS:
        return False
    level = next((word for word in words[1:] if not word.startswith(("ssf=", "tls_ssf=", "peername", "stop", "break"))), "none")
    return level in _READING or (level[:1] in "=+" and "r" in level)


def _policy(entry: dict[str, str | list[str]]) -> Policy:
    def told(name: str) -> int:
        return number(_one(entry, name)) or 0

    return Policy(
        dn=str(entry.get("dn", "")),
        length=told("pwdMinLength"),
        quality=told("pwdCheckQuality"),
        age=told("pwdMaxAge"),
        history=told("pwdInHistory"),
        locks=_one(entry, "pwdLockout").upper() == "TRUE",
        failures=told("pwdMaxFailure"),
        locked=told("pwdLockoutDuration"),
    )


def _one(entry: dict[str, str | list[str]], name: str) -> str:
    return next(_of(entry, name), "")


def _of(entry: dict[str, str | list[str]], name: str) -> Iterator[str]:
    for attribute, values in entry.items():
        if attribute.lower() == name.lower() and isinstance(values, list):
            yield from values
