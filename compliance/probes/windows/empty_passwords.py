"""Nobody gets in without a password."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.registry_file import LSA, set_number
from compliance.probes.formats.windows import Account, rows


def _judge(facts: Facts) -> Judgement:
    found = [one.name for one in rows(facts, "accounts", Account) if one.enabled and not one.password_required]
    limited = set_number(facts, LSA, "LimitBlankPasswordUse", 1)
    if not limited:
        return judgement(["LimitBlankPasswordUse = 0", *found])
    return judgement(
        weak=[Text(f"{name} may have none", f"{name} 可不设口令") for name in found], good=["LimitBlankPasswordUse = 1"]
    )


PROBE = Probe(
    id="windows.accounts.empty_passwords",
    way="host.accounts",
    source="windows",
    items=("8.1.4.1.a",),
    units=("6.3.1",),
    reads=("accounts", "registry"),
    title=Text("Empty passwords", "空口令"),
    criterion=Text(
        "every enabled account must have a password, and empty ones are refused over the network",
        "每个启用的账户都必须有口令，且空口令不能用于网络登录",
    ),
    reproduce="Get-LocalUser; reg query HKLM\\SYSTEM\\CurrentControlSet\\Control\\Lsa /v LimitBlankPasswordUse",
    judge=_judge,
)
