"""Passwords run out."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.secedit import access
from compliance.probes.formats.windows import Account, rows


def _judge(facts: Facts) -> Judgement:
    longest, shortest = access(facts, "MaximumPasswordAge", "MinimumPasswordAge")
    shown = f"MaximumPasswordAge = {longest}"
    weak: list[Text] = []
    if facts.is_read("accounts"):
        endless = [one.name for one in rows(facts, "accounts", Account) if one.enabled and not one.password_expires]
        weak += [Text(f"{name}: never", f"{name}：永不过期") for name in endless]
    if not shortest:
        weak.append(Text("MinimumPasswordAge = 0", "MinimumPasswordAge = 0"))
    return judgement([shown] if not 0 < longest <= 90 else [], weak, [shown])


PROBE = Probe(
    id="windows.passwords.ageing",
    way="host.login_defs",
    source="windows",
    items=("8.1.4.1.a",),
    reads=("policy", "accounts"),
    title=Text("Passwords run out", "口令有效期"),
    criterion=Text(
        "passwords last 90 days at most and 1 day at least, for all accounts", "口令最长 90 天、最短 1 天，所有账户一致"
    ),
    to_be_confirmed=True,
    reproduce="secedit /export /cfg secpol.inf; MaximumPasswordAge; Get-LocalUser | Select Name, PasswordExpires",
    judge=_judge,
)
