"""Guests do not get in."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.secedit import access


def _judge(facts: Facts) -> Judgement:
    (enabled,) = access(facts, "EnableGuestAccount")
    return judgement([f"EnableGuestAccount = {enabled}"] if enabled else [], good=["EnableGuestAccount = 0"])


PROBE = Probe(
    id="windows.accounts.guest",
    way="host.accounts",
    source="windows",
    items=("8.1.4.2.b", "8.1.4.2.c"),
    reads=("policy",),
    title=Text("Guest", "来宾账户"),
    criterion=Text("the guest account is disabled", "来宾账户已停用"),
    reproduce="secedit /export /cfg secpol.inf; EnableGuestAccount",
    judge=_judge,
)
