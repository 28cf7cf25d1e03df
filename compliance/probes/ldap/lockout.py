"""Guessing passwords at the directory ends after some attempts."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, Words, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.directory import policies

_ATTEMPTS, _MANY, _SECONDS = 5, 10, 300


def _judge(facts: Facts) -> Judgement:
    found = policies(facts)
    if not found:
        return judgement([Text("no password policy is in force", "未启用口令策略")])
    bad: list[Words] = []
    weak: list[Words] = []
    for one in found:
        shown = f"{one.dn}: pwdLockout {str(one.locks).upper()}, pwdMaxFailure {one.failures}, pwdLockoutDuration {one.locked}"
        if not one.locks or not 0 < one.failures <= _MANY:
            bad.append(shown)
        elif one.failures > _ATTEMPTS or 0 < one.locked < _SECONDS:  # 0: until an administrator unlocks it
            weak.append(shown)
    return judgement(bad, weak, [one.dn for one in found])


PROBE = Probe(
    id="app.auth.directory_lockout",
    way="app.auth",
    source="ldap",
    items=("8.1.4.1.b",),
    objects=("system_software", "middleware", "application"),
    reads=("root", "policies"),
    title=Text("Lockout of the directory", "目录登录失败锁定"),
    criterion=Text(
        "each policy locks after 5 failures or fewer, for 5 minutes or longer", "各口令策略在失败不超过 5 次时锁定，且不少于 5 分钟"
    ),
    to_be_confirmed=True,
    reproduce="ldapsearch -x -ZZ -D DN -W -b BASE '(objectClass=pwdPolicy)' pwdLockout pwdMaxFailure pwdLockoutDuration",
    judge=_judge,
)
