"""``liandun-account-enable``: let people log in with an account again. Gives ``account_name`` (its DN).

What was disabled before the run stays so: the step is told by ``before``. A lock for wrong passwords is not touched.
"""

from __future__ import annotations

from playbooks.actions.account_directory import opened
from playbooks.actions.account_disable import directory_of
from playbooks.actions.contract import Context, Plan, Request
from playbooks.actions.system_action import SystemAction
from playbooks.actions.system_parameters import AccountEnableParameters


class AccountEnableAction(SystemAction[AccountEnableParameters]):
    """The action."""

    kind = "liandun-account-enable"

    def told(self, given: AccountEnableParameters, request: Request) -> Plan:
        directory = directory_of(self.settings)
        what = "leave the account {} as it was, disabled," if given.before == "disabled" else "enable the account {}"
        return Plan(f"{what.format(given.account)} in {directory.url}", (given.account, directory.url))

    def act(self, given: AccountEnableParameters, request: Request, context: Context) -> dict[str, str]:
        with opened(directory_of(self.settings), context) as accounts:
            account = accounts.find(given.account)
            if given.before == "enabled" and accounts.is_disabled(account):
                accounts.enable(account)
        return {"account_name": account.dn}
