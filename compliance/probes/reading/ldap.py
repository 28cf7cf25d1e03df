"""What a directory (LDAP, RFC 4511; OpenLDAP) says of itself and lets others do. Nothing is changed, no password is asked for.

The password of the login goes over TLS and nothing else. Whether passwords are taken in clear is found out with one that is made
up, for an entry that does not exist.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import ldap3
import msgspec

from compliance.probes.contract import Source
from compliance.probes.facts import Part
from kernel.errors import LiandunError
from kernel.programs.time_left import TimeLeft
from operations.accounts import ldap_connection

PARTS = ("root", "plain", "anonymous", "policies", "config")
_PORTS = {"ldap": 389, "ldaps": 636}
_FEW, _MANY = 5, 2_000
_POLICY = (
    "pwdMinLength", "pwdCheckQuality", "pwdMaxAge", "pwdInHistory", "pwdLockout", "pwdMaxFailure", "pwdLockoutDuration",
)  # fmt: skip
_CONFIG = (
    "objectClass", "olcSuffix", "olcSecurity", "olcDisallows", "olcRequires", "olcPasswordHash", "olcLogLevel", "olcIdleTimeout",
    "olcAccess", "olcOverlay", "olcPPolicyDefault",
)  # fmt: skip
_HOW = {
    "root": "ldapsearch -x -b '' -s base '*' +",
    "plain": "ldapwhoami -x -H ldap://HOST -D cn=nobody,BASE -w nothing",
    "anonymous": "ldapsearch -x -ZZ -b BASE -z 5 1.1",
    "policies": "ldapsearch -x -ZZ -D DN -W -b BASE '(objectClass=pwdPolicy)'",
    "config": "ldapsearch -x -ZZ -D DN -W -b cn=config",
}


class Login(msgspec.Struct, frozen=True):
    """``ldap[s]://BIND-DN:PASSWORD@HOST:PORT/BASE-DN``, DNs and password with %XX where they have signs of URLs."""

    scheme: str
    host: str
    port: int
    dn: str
    password: str
    base: str

    @property
    def url(self) -> str:
        """The address alone."""
        return f"{self.scheme}://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


def read_login(text: str) -> Login:
    """Raises LiandunError, which never repeats the text: it holds a password."""
    hint = "ldaps://BIND-DN:PASSWORD@HOST:PORT/BASE-DN; write @ : / and % in a DN or password as %40 %3A %2F %25"
    try:
        parsed = urlsplit(text.strip())
        host, port = parsed.hostname, parsed.port
    except ValueError:
        raise LiandunError("this is no URL of a directory", hint) from None
    dn, password, base = (unquote(one or "") for one in (parsed.username, parsed.password, parsed.path[1:]))
    if parsed.scheme not in _PORTS or not host or not dn or not password or not base:
        raise LiandunError("this is no URL of a directory with a login and a base", hint)
    return Login(parsed.scheme, host, port or _PORTS[parsed.scheme], dn, password, base)


class Directory(msgspec.Struct, frozen=True):
    """``url`` is asked for when it is needed (``read_login``); the login has to read ``cn=config`` for all that is asked."""

    name: str
    url: Callable[[], str]
    ca_file: Path | None = None
    sources: tuple[Source, ...] = ("ldap",)

    def read(self, parts: Collection[str], time_left: TimeLeft) -> Mapping[str, Part]:
        login = read_login(self.url())
        return dict(_read(login, self.ca_file, [one for one in PARTS if one in parts], time_left))


def _read(login: Login, ca_file: Path | None, parts: list[str], time_left: TimeLeft) -> Iterator[tuple[str, Part]]:
    asked: dict[str, Callable[[], Any]] = {
        "root": lambda: _root(login, ca_file, time_left),
        "plain": lambda: _plain(login, time_left),
        "anonymous": lambda: _anonymous(login, ca_file, time_left),
        "policies": lambda: _policies(login, ca_file, time_left),
        "config": lambda: _config(login, ca_file, time_left),
    }
    for name in parts:
        try:
            yield name, Part(msgspec.json.encode(asked[name]()).decode(), how=_HOW[name])
        except LiandunError as error:
            yield name, Part("", str(error), _HOW[name])
        except Exception as error:  # for an answer that is none, ldap3 raises what its parts do
            yield name, Part("", f"the directory cannot be asked: {_plain_words(str(error))}", _HOW[name])


def _root(login: Login, ca_file: Path | None, time_left: TimeLeft) -> dict[str, list[str]]:
    """What the directory can do: its root DSE (RFC 4512, 5.1)."""
    names = ["supportedControl", "supportedExtension", "supportedSASLMechanisms"]
    with _connected(login, ca_file, time_left, bound=False) as connection:
        connection.search("", "(objectClass=*)", ldap3.BASE, attributes=names)
        found = _entries(connection)
        if not found:
            raise LiandunError(f"the directory does not say what it can do: {_said(connection)}")
        return {name: found[0].get(name, []) for name in names}


def _plain(login: Login, time_left: TimeLeft) -> dict[str, Any]:
    """How a password is answered that comes without TLS."""
    if login.scheme == "ldaps":
        raise LiandunError("the port speaks TLS only: give the ldap:// address, too, if there is one")
    server = ldap3.Server(login.url, connect_timeout=_seconds(time_left), get_info=ldap3.NONE)
    dn, password = f"cn=nobody-{secrets.token_hex(4)},{login.base}", secrets.token_hex(8)
    connection = ldap3.Connection(
        server, dn, password, authentication=ldap3.SIMPLE, receive_timeout=_seconds(time_left), read_only=True, auto_referrals=False
    )
    try:
        connection.open()
        connection.bind()
        result = connection.result or {}
    finally:
        connection.unbind()
    return {"code": int(result.get("result", -1)), "name": str(result.get("description", ""))}


def _anonymous(login: Login, ca_file: Path | None, time_left: TimeLeft) -> dict[str, Any]:
    """What somebody sees who has not logged in: entries, and of how many of them the password. ``typesOnly``: no values."""
    with _connected(login, ca_file, time_left, bound=False) as connection:
        if not connection.bind():
            return {"bound": False, "entries": 0, "passwords": 0}
        connection.search(login.base, "(objectClass=*)", ldap3.SUBTREE, attributes=["1.1"], size_limit=_FEW)
        entries = len(_entries(connection))
        connection.search(
            login.base, "(objectClass=*)", ldap3.SUBTREE, attributes=["userPassword"], types_only=True, size_limit=_MANY
        )
        passwords = sum("userPassword" in entry for entry in _entries(connection))
        return {"bound": True, "entries": entries, "passwords": passwords}


def _policies(login: Login, ca_file: Path | None, time_left: TimeLeft) -> list[dict[str, Any]]:
    """Password policies (draft-behera-ldap-password-policy-10, 5.2)."""
    with _connected(login, ca_file, time_left, bound=True) as connection:
        connection.search(login.base, "(objectClass=pwdPolicy)", ldap3.SUBTREE, attributes=list(_POLICY), size_limit=200)
        if connection.result["result"] not in (0, 4):
            raise LiandunError(f"the login may not look for policies: {_said(connection)}")
        return _entries(connection)


def _config(login: Login, ca_file: Path | None, time_left: TimeLeft) -> list[dict[str, Any]]:
    """The configuration of OpenLDAP (slapd-config(5))."""
    with _connected(login, ca_file, time_left, bound=True) as connection:
        connection.search("cn=config", "(objectClass=*)", ldap3.SUBTREE, attributes=list(_CONFIG), size_limit=500)
        found = _entries(connection)
        if not found:
            raise LiandunError(f"the login may not read cn=config: {_said(connection)}")
        return found


@contextmanager
def _connected(login: Login, ca_file: Path | None, time_left: TimeLeft, *, bound: bool) -> Iterator[Any]:
    """A connection over TLS. Who does not log in is content with one in clear where there is no TLS. Raises LiandunError."""
    seconds = _seconds(time_left)
    dn, password = (login.dn, login.password) if bound else ("", "")
    server = ldap_connection.server_of(login.url, ca_file, seconds)
    try:
        connection = ldap_connection.opened(server, dn, password, start_tls=True, seconds=seconds, read_only=True)
    except ldap_connection.NoTls:
        if bound:
            raise
        server = ldap3.Server(login.url, connect_timeout=seconds, get_info=ldap3.NONE)
        connection = ldap3.Connection(server, receive_timeout=seconds, read_only=True, auto_referrals=False)
        connection.open()
    connection.empty_attributes = False
    try:
        if bound and not connection.bind():
            raise LiandunError(f"the directory refuses the login: {_said(connection)}")
        yield connection
    finally:
        connection.unbind()


def _entries(connection: Any) -> list[dict[str, Any]]:
    found = []
    for entry in connection.response or []:
        if entry["type"] == "searchResEntry":
            values = {name: [_text(one) for one in told or ()] for name, told in entry["raw_attributes"].items()}
            found.append({"dn": str(entry["dn"]), **values})
    return found


def _seconds(time_left: TimeLeft) -> int:
    return max(1, min(15, round(time_left.left())))


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _said(connection: Any) -> str:
    result = connection.result or {}
    return _plain_words(" ".join(str(result.get(one) or "") for one in ("description", "message")))


def _plain_words(said: str) -> str:
    return " ".join("".join(sign if sign.isprintable() else " " for sign in said).split())[:300]
