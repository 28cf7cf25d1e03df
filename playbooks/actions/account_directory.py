"""Accounts of a directory (LDAP, RFC 4511) that are disabled and enabled again. Only over TLS, as operations.accounts.ldap.

OpenLDAP: ``pwdAccountLockedTime`` of the password policy (draft-behera-ldap-password-policy-10, 5.3.3); ``000001010000Z`` is "until
an administrator unlocks it". It counts only where the policy says ``pwdLockout TRUE``. Active Directory: the bit ACCOUNTDISABLE of
``userAccountControl`` (MS-ADTS 2.2.16). Both are changed only from the very value that was read, so nothing that others changed
meanwhile is lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ldap3
import msgspec
from ldap3.core.exceptions import LDAPException
from ldap3.utils.conv import escape_filter_chars

from operations.accounts import ldap_connection
from playbooks.actions.contract import ActionError, Context
from playbooks.actions.settings import AccountDirectory

LOCKED = "000001010000Z"
_DISABLED = 0x2
_ATTRIBUTES = {"openldap": "pwdAccountLockedTime", "ad": "userAccountControl"}
_NAMES = ("uid", "cn", "sAMAccountName", "userPrincipalName")
_CHANGED_MEANWHILE = 16
"""noSuchAttribute (RFC 4511, A.2): the value that was to be replaced is not there any more."""


class Account(msgspec.Struct, frozen=True):
    """An entry of the directory. ``state``: the value that says whether it is disabled, "" = none."""

    dn: str
    names: tuple[str, ...]
    state: str


class Accounts:
    """One connection to the directory, for one command."""

    def __init__(self, settings: AccountDirectory, connection: Any) -> None:
        self._settings = settings
        self._connection = connection
        self._attribute = _ATTRIBUTES[settings.kind]

    def find(self, name: str) -> Account:
        """The one account of this name. Raises ActionError(NOT_FOUND or AMBIGUOUS)."""
        query = self._settings.user_filter.replace("{name}", escape_filter_chars(name))
        wanted = [*(one for one in _NAMES if self._settings.kind == "ad" or one in ("uid", "cn")), self._attribute]
        self._connection.search(self._settings.base_dn, query, attributes=wanted, size_limit=2)
        found = [one for one in self._connection.response or [] if one["type"] == "searchResEntry"]
        if not found:
            raise ActionError(f"the directory knows no account {name[:80]!r}", self._said(), code="NOT_FOUND")
        if len(found) > 1:
            raise ActionError(f"more than one account is called {name[:80]!r}", "name it exactly", code="AMBIGUOUS")
        raw = {key.lower(): [_text(one) for one in values] for key, values in found[0]["raw_attributes"].items()}
        names = tuple(one for key in _NAMES for one in raw.get(key.lower(), ()))
        return Account(str(found[0]["dn"]), names, next(iter(raw.get(self._attribute.lower(), ())), ""))

    def is_disabled(self, account: Account) -> bool:
        """Whether nobody can log in with it because an administrator says so; a lock for wrong passwords is none."""
        if self._settings.kind == "openldap":
            return account.state == LOCKED
        return bool(_control(account) & _DISABLED)

    def disable(self, account: Account) -> None:
        """Raises ActionError."""
        new = LOCKED if self._settings.kind == "openldap" else str(_control(account) | _DISABLED)
        self._change(account, new)

    def enable(self, account: Account) -> None:
        """Raises ActionError."""
        self._change(account, "" if self._settings.kind == "openldap" else str(_control(account) & ~_DISABLED))

    def _change(self, account: Account, new: str) -> None:
        """Another state, if the one that was read is still there; one request, so nothing comes between."""
        steps = [(ldap3.MODIFY_DELETE, [account.state])] if account.state else []
        if new:
            steps.append((ldap3.MODIFY_ADD, [new]))
        if self._connection.modify(account.dn, {self._attribute: steps}):
            return
        again = self._connection.result.get("result") == _CHANGED_MEANWHILE
        raise ActionError(f"the directory does not change {account.dn}: {self._said()}", code="DIRECTORY_FAILED", again=again)

    def _said(self) -> str:
        result = self._connection.result or {}
        return " ".join(str(result.get(one) or "") for one in ("description", "message")).strip()[:300]


@contextmanager
def opened(settings: AccountDirectory, context: Context) -> Iterator[Accounts]:
    """A connection as ``bind_dn``. Raises ActionError: DIRECTORY_UNREACHABLE (worth another attempt), LOGIN_REFUSED."""
    password = context.secrets(settings.secret, None)  # the directory is the one of the configuration
    seconds = max(1, round(min(settings.timeout, context.left())))
    if not password:
        raise _refused(settings)
    try:
        server = ldap_connection.server_of(settings.url, settings.ca_file, seconds)
        connection = ldap_connection.opened(
            server, settings.bind_dn, password, start_tls=settings.start_tls, seconds=seconds, read_only=False
        )
    except ldap_connection.NoTls as error:
        raise ActionError(error.message, error.hint, code="NOT_ALLOWED") from error
    except (LDAPException, OSError) as error:
        raise _unreachable(error) from error
    try:
        if not connection.bind():
            raise _refused(settings)
        yield Accounts(settings, connection)
    except (LDAPException, OSError) as error:
        raise _unreachable(error) from error
    finally:
        connection.unbind()


def _refused(settings: AccountDirectory) -> ActionError:
    return ActionError(f"the directory refuses {settings.bind_dn}", f"see the secret {settings.secret}", code="LOGIN_REFUSED")


def _unreachable(error: Exception) -> ActionError:
    return ActionError(f"the directory cannot be asked: {error}", code="DIRECTORY_UNREACHABLE", again=True)


def _control(account: Account) -> int:
    try:
        return int(account.state)
    except ValueError as error:
        raise ActionError(f"{account.dn} has no userAccountControl", "is it an account?", code="DIRECTORY_FAILED") from error


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
