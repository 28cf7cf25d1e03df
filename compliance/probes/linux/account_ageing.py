"""Passwords that are there run out (shadow)."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement, not_applicable
from compliance.probes.facts import Facts
from compliance.probes.formats.accounts import passwords

_LONGEST = 90


def _judge(facts: Facts) -> Judgement:
    found = [one for one in passwords(facts.listed("shadow")) if one.is_set]
    if not found:
        return not_applicable(Text("no account has a password", "没有设置口令的账户"))
    endless = [one for one in found if one.most is None or not 0 < one.most <= _LONGEST]
    shown = [f"{one.name}: {one.most if one.most is not None else '-'} d" for one in endless]
    if len(endless) == len(found):
        return judgement(shown)
    return judgement(weak=shown, good=[f"{one.name}: {one.most} d" for one in found])


PROBE = Probe(
    id="host.login_defs.accounts",
    way="host.login_defs",
    source="linux",
    items=("8.1.4.1.a",),
    reads=("shadow",),
    title=Text("Password ageing of accounts", "现有账户的口令有效期"),
    criterion=Text("each password has to be changed within 90 days", "每个口令须在 90 天内更换"),
    to_be_confirmed=True,
    reproduce="chage -l NAME",
    judge=_judge,
)
