"""Rows that mysql_export.sql prints of a MySQL or MariaDB server."""

from __future__ import annotations

import msgspec

from compliance.probes.facts import Facts, Unreadable

OWN_HOSTS = ("localhost", "127.0.0.1", "::1")
PASSWORDS = ("mysql_native_password", "caching_sha2_password", "sha256_password", "ed25519", "parsec", "mysql_old_password", "")
"""Plugins that ask for a password; others ask the system, a directory or a certificate."""


class Account(msgspec.Struct, frozen=True):
    """``hash``: none, invalid (nobody has its password), set."""

    host: str
    user: str
    plugin: str
    hash: str
    super: str
    grant: str
    file: str
    ssl: str
    lifetime: str = ""
    is_locked: bool = False
    attempts: str = ""

    def shown(self) -> str:
        """As MySQL writes it."""
        return f"'{self.user}'@'{self.host}'"

    @property
    def is_remote(self) -> bool:
        """Whether it is for others than the host itself."""
        return self.host not in OWN_HOSTS

    @property
    def has_password(self) -> bool:
        """Whether a password is what it asks for."""
        return self.plugin in PASSWORDS and self.hash != "invalid"


class _Age(msgspec.Struct, frozen=True):
    host: str
    user: str
    lifetime: str
    locked: str
    attempts: str


class _Variable(msgspec.Struct, frozen=True):
    name: str
    value: str


class _Name(msgspec.Struct, frozen=True):
    name: str


def variables(facts: Facts) -> dict[str, str]:
    """By name in small letters. Raises Unreadable."""
    found = {one.name: one.value for one in facts.rows("variables", list[_Variable])}
    if not found:
        raise Unreadable("the server says no variables", "服务器未给出变量")
    return found


def accounts(facts: Facts) -> list[Account]:
    """Those that are not locked. Raises Unreadable."""
    ages = {(one.host, one.user): one for one in facts.rows("ages", list[_Age])}
    found = []
    for one in facts.rows("accounts", list[Account]):
        age = ages.get((one.host, one.user))
        if age is None:
            raise Unreadable(f"ages does not say {one.shown()}", f"未读到 {one.shown()} 的有效期")
        is_locked = age.locked.lower() in ("y", "1", "true")
        found.append(msgspec.structs.replace(one, lifetime=age.lifetime, is_locked=is_locked, attempts=age.attempts))
    if not found:
        raise Unreadable("the server says no accounts", "服务器未列出账户")
    return [one for one in found if not one.is_locked]


def names(facts: Facts, part: str) -> set[str]:
    """Active plugins and components, or databases. Raises Unreadable where there are none."""
    found = {one.name for one in facts.rows(part, list[_Name])}
    if not found:
        raise Unreadable(f"{part} is empty", f"{part} 为空")
    return found


def is_on(value: str | None) -> bool:
    """ON, 1, YES, FORCE."""
    return (value or "").upper() in ("ON", "1", "YES", "FORCE", "FORCE_PLUS_PERMANENT")
