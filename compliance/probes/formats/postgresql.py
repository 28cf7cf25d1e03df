"""Rows that a PostgreSQL server gave."""

from __future__ import annotations

import ipaddress

import msgspec

from compliance.probes.facts import Facts, Unreadable


class Role(msgspec.Struct, frozen=True):
    """A role that can log in. ``until``: when its password runs out, "infinity" or None."""

    rolname: str
    rolsuper: bool
    rolcreaterole: bool
    rolbypassrls: bool
    until: str | None


class Hash(msgspec.Struct, frozen=True):
    """How the password of a role is kept."""

    rolname: str
    kind: str


class HbaRule(msgspec.Struct, frozen=True):
    """A line of pg_hba.conf. ``error``: why it does not count."""

    line: int
    type: str | None
    databases: str | None
    users: str | None
    address: str
    netmask: str
    method: str
    error: str

    def shown(self) -> str:
        """As it stands in the file."""
        words = (self.type or "", self.databases or "", self.users or "", self.address, self.netmask, self.method)
        return f"{self.line}: {' '.join(word for word in words if word)}"

    @property
    def is_remote(self) -> bool:
        """Whether it is for connections of others than the host itself."""
        if self.type == "local" or self.address in ("127.0.0.1", "::1", "localhost"):
            return False
        try:
            return not ipaddress.ip_address(self.address).is_loopback
        except ValueError:
            return True

    @property
    def is_from_anywhere(self) -> bool:
        """Whether every address may come in by it."""
        return self.is_remote and (self.address == "all" or self.netmask in ("0.0.0.0", "::"))  # noqa: S104


class _Setting(msgspec.Struct, frozen=True):
    name: str
    setting: str | None


def settings(facts: Facts) -> dict[str, str]:
    """Settings by name. Raises Unreadable."""
    found = {one.name: one.setting or "" for one in facts.rows("settings", list[_Setting])}
    if not found:
        raise Unreadable("the server says no settings", "服务器未给出参数")
    return found


def roles(facts: Facts) -> list[Role]:
    """Roles that can log in. Raises Unreadable."""
    found = facts.rows("roles", list[Role])
    if not found:
        raise Unreadable("the server says no roles", "服务器未列出角色")
    return found


def hba(facts: Facts) -> list[HbaRule]:
    """Rules of pg_hba.conf that count. Raises Unreadable."""
    found = [rule for rule in facts.rows("hba", list[HbaRule]) if not rule.error]
    if not found:
        raise Unreadable("the server says no rule of pg_hba.conf", "服务器未给出 pg_hba.conf 规则")
    return found


def libraries(found: dict[str, str]) -> set[str]:
    """Extensions that are loaded at start. Raises Unreadable: only pg_read_all_settings may see them."""
    if "shared_preload_libraries" not in found:
        raise Unreadable("the login may not see shared_preload_libraries", "登录账户无权查看 shared_preload_libraries")
    return {name.strip() for name in found.get("shared_preload_libraries", "").split(",") if name.strip()}
