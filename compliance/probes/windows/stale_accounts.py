"""Accounts that nobody uses do not stay."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.windows import DAY, Account, System, one, rows

_LONGEST = 90


def _judge(facts: Facts) -> Judgement:
    now = one(facts, "system", System).now
    accounts = [account for account in rows(facts, "accounts", Account) if account.enabled]
    weak = []
    for account in accounts:
        last = max(account.last_logon or 0, account.password_set or 0)
        if now - last > _LONGEST * DAY:
            days = (now - last) // DAY
            weak.append(
                Text(f"{account.name}: {days} days", f"{account.name}：{days} 天")
                if last
                else Text(f"{account.name}: never", f"{account.name}：从未使用")
            )
    return judgement(weak=weak, good=[account.name for account in accounts])


PROBE = Probe(
    id="windows.accounts.stale",
    way="host.accounts",
    source="windows",
    items=("8.1.4.2.c",),
    reads=("system", "accounts"),
    title=Text("Unused accounts", "长期未用账户"),
    criterion=Text("no enabled local account is unused for more than 90 days", "没有超过 90 天未使用而仍启用的本地账户"),
    to_be_confirmed=True,
    reproduce="Get-LocalUser | Select Name, Enabled, LastLogon, PasswordLastSet",
    judge=_judge,
)
