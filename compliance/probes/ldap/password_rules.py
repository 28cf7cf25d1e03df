"""Passwords of the directory are long, of several kinds of letters, and changed."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, Words, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.directory import policies

_LENGTH, _DAYS, _KEPT, _DAY = 8, 90, 5, 86_400


def _judge(facts: Facts) -> Judgement:
    found = policies(facts)
    if not found:
        return judgement([Text("no password policy is in force", "未启用口令策略")])
    bad: list[Words] = []
    weak: list[Words] = []
    for one in found:
        if one.length < _LENGTH:
            bad.append(f"{one.dn}: pwdMinLength {one.length}")
        if not 0 < one.age <= _DAYS * _DAY:
            bad.append(f"{one.dn}: pwdMaxAge {one.age}")
        if one.quality < 2:  # 1 lets through what comes hashed, 0 looks at nothing
            weak.append(f"{one.dn}: pwdCheckQuality {one.quality}")
        if one.history < _KEPT:
            weak.append(f"{one.dn}: pwdInHistory {one.history}")
    return judgement(bad, weak, [one.dn for one in found])


PROBE = Probe(
    id="app.auth.directory_password_rules",
    way="app.auth",
    source="ldap",
    items=("8.1.4.1.a",),
    objects=("system_software", "middleware", "application"),
    reads=("root", "policies"),
    title=Text("Password policy of the directory", "目录口令策略"),
    criterion=Text(
        "each policy asks for 8 letters or more and a change within 90 days, and checks quality and the last 5 passwords",
        "各口令策略要求至少 8 位、90 天内更换，并检查复杂度与最近 5 个口令",
    ),
    to_be_confirmed=True,
    reproduce="ldapsearch -x -ZZ -D DN -W -b BASE '(objectClass=pwdPolicy)'",
    judge=_judge,
)
