"""Sign-in by an LDAP directory (RFC 4511): search for the person, bind as them. Only over TLS: ``ldaps://``, or StartTLS (4.14).

What is typed never becomes part of a filter unescaped (RFC 4515, 3), and an empty password is refused before it is sent: servers
take a bind without a password for an anonymous one and say yes (RFC 4513, 5.1.2).
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import ldap3
import msgspec
from ldap3.core.exceptions import LDAPException
from ldap3.utils.conv import escape_filter_chars

from kernel.errors import LiandunError
from operations.accounts.external import Person
from operations.accounts.ldap_connection import NoTls, opened, server_of


class DirectoryError(LiandunError):
    """The directory cannot be asked; nobody is refused for it, but nobody gets in by it either."""


class Directory(Protocol):
    """What logging in asks of a directory."""

    roles: Mapping[str, str]

    def check(self, name: str, password: str) -> Person | None:
        """The person with this name and password, None where it is wrong. Raises DirectoryError."""
        ...


class LdapSettings(msgspec.Struct, frozen=True):
    """As in [accounts.ldap] of the configuration; ``password`` is that of ``bind_dn``."""

    url: str
    base_dn: str
    start_tls: bool = True
    ca_file: Path | None = None
    bind_dn: str = ""
    password: str = ""
    user_filter: str = "(uid={name})"
    group_filter: str = "(member={dn})"
    subject: str = "entryUUID"
    display_name: str = "cn"
    timeout: float = 5.0


class LdapDirectory:
    """Asks the directory anew for each log-in; keeps no connection and no password."""

    def __init__(self, settings: LdapSettings, roles: Mapping[str, str]) -> None:
        self.roles = roles
        self._settings = settings
        self._timeout = max(1, round(settings.timeout))
        self._server = server_of(settings.url, settings.ca_file, self._timeout)

    def check(self, name: str, password: str) -> Person | None:
        """See Directory. A name that fits nobody, or more than one person, is wrong."""
        if not name or not password:
            return None
        try:
            found = self._find(name)
            if found is None:
                return None
            dn, attributes = found
            if not self._bind_as(dn, password):
                return None
            return self._person(name, attributes, self._groups(dn))
        except (LDAPException, OSError, ssl.SSLError) as error:
            raise DirectoryError(f"the directory cannot be asked: {error}", "see accounts.ldap in the configuration") from error

    def _open(self, dn: str, password: str) -> Any:
        try:
            return opened(self._server, dn, password, start_tls=self._settings.start_tls, seconds=self._timeout, read_only=True)
        except NoTls as error:
            raise DirectoryError(error.message, error.hint) from error

    def _searching(self) -> Any:
        connection = self._open(self._settings.bind_dn, self._settings.password)
        if not connection.bind():
            connection.unbind()
            raise DirectoryError("the directory refuses the search account", "see accounts.ldap.bind_dn and password_file")
        return connection

    def _find(self, name: str) -> tuple[str, dict[str, Any]] | None:
        settings = self._settings
        query = settings.user_filter.replace("{name}", escape_filter_chars(name))
        wanted = [settings.subject, settings.display_name]
        connection = self._searching()
        try:
            connection.search(settings.base_dn, query, attributes=wanted, size_limit=2, time_limit=self._timeout)
            entries = [entry for entry in connection.response or [] if entry["type"] == "searchResEntry"]
        finally:
            connection.unbind()
        return (str(entries[0]["dn"]), dict(entries[0]["attributes"])) if len(entries) == 1 else None

    def _bind_as(self, dn: str, password: str) -> bool:
        connection = self._open(dn, password)
        try:
            return bool(connection.bind())
        finally:
            connection.unbind()

    def _groups(self, dn: str) -> tuple[str, ...]:
        query = self._settings.group_filter.replace("{dn}", escape_filter_chars(dn))
        connection = self._searching()
        try:
            connection.search(self._settings.base_dn, query, attributes=[ldap3.NO_ATTRIBUTES], time_limit=self._timeout)
            return tuple(str(entry["dn"]) for entry in connection.response or [] if entry["type"] == "searchResEntry")
        finally:
            connection.unbind()

    def _person(self, name: str, attributes: Mapping[str, Any], groups: tuple[str, ...]) -> Person:
        return Person(
            origin="ldap",
            subject=_text(attributes.get(self._settings.subject)),
            name=name.casefold(),
            display_name=_text(attributes.get(self._settings.display_name)),
            groups=groups,
        )


def _text(value: Any) -> str:
    first = value[0] if isinstance(value, list) and value else value
    if isinstance(first, bytes):
        return first.hex()
    return "" if first is None or isinstance(first, list) else str(first)
