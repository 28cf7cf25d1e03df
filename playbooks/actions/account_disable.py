"""``liandun-account-disable``: let nobody log in with an account of the directory. Sessions that exist are not ended by it.

Gives ``account_name`` (its DN) and ``account_before``: ``enabled``, or ``disabled`` where it was so already; the undo step takes
that, so that it does not enable what somebody else disabled.
"""

from __future__ import annotations

import re

from playbooks.actions.account_directory import Account, opened
from playbooks.actions.contract import ActionError, Context, Plan, Request
from playbooks.actions.settings import AccountDirectory, Settings
from playbooks.actions.system_action import SystemAction
from playbooks.actions.system_parameters import AccountDisableParameters


class AccountDisableAction(SystemAction[AccountDisableParameters]):
    """The action."""

    kind = "liandun-account-disable"

    def told(self, given: AccountDisableParameters, request: Request) -> Plan:
        directory = directory_of(self.settings)
        _refuse_protected((given.account,), directory)
        return Plan(f"disable the account {given.account} in {directory.url}: {given.reason[:120]}", (given.account, directory.url))

    def act(self, given: AccountDisableParameters, request: Request, context: Context) -> dict[str, str]:
        directory = directory_of(self.settings)
        with opened(directory, context) as accounts:
            account = accounts.find(given.account)
            _refuse_protected((account.dn, *account.names), directory)
            before = accounts.is_disabled(account)
            if not before:
                accounts.disable(account)
                _demand(accounts.is_disabled(accounts.find(given.account)), account)
        return {"account_name": account.dn, "account_before": "disabled" if before else "enabled"}


def directory_of(settings: Settings) -> AccountDirectory:
    """The directory of the configuration. Raises ActionError(NOT_ALLOWED) where there is none."""
    if settings.directory is None:
        raise ActionError("no directory is configured", "[playbooks.directory]", code="NOT_ALLOWED")
    return settings.directory


def _refuse_protected(names: tuple[str, ...], directory: AccountDirectory) -> None:
    """All names of an entry are looked at: one of them may be an alias of the account that must stay."""
    protected = {_plain(one) for one in (*directory.protected, directory.bind_dn)}
    for name in names:
        if _plain(name) in protected:
            raise ActionError(f"the account {name} is protected", "[playbooks.directory] protected", code="NOT_ALLOWED")


def _plain(name: str) -> str:
    """A name, or a DN, without what does not tell it from another: case, and blanks around commas and signs."""
    return re.sub(r"\s*([,=+])\s*", r"\1", name.strip()).casefold()


def _demand(holds: bool, account: Account) -> None:
    if not holds:
        raise ActionError(f"the directory took the change of {account.dn} and does not hold it", code="DIRECTORY_FAILED")
