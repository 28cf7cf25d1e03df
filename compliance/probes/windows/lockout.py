"""Guessing ends."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.secedit import access, policy

_LEAST_MINUTES = 5


def _judge(facts: Facts) -> Judgement:
    (attempts,) = access(facts, "LockoutBadCount")
    shown = f"LockoutBadCount = {attempts}"
    if not attempts:
        return judgement([shown])
    (minutes,) = access(facts, "LockoutDuration")
    short = [f"LockoutDuration = {minutes}"] if 0 < minutes < _LEAST_MINUTES else []  # -1: until an administrator unlocks
    exempt = policy(facts)["system access"].get("allowadministratorlockout") == "0"
    weak = [*short, *(["AllowAdministratorLockout = 0"] if exempt else []), *([shown] if 5 < attempts <= 10 else [])]
    return judgement([shown] if attempts > 10 else [], weak, [shown, f"LockoutDuration = {minutes}"])


PROBE = Probe(
    id="windows.lockout.failed_logins",
    way="host.pam_faillock",
    source="windows",
    items=("8.1.4.1.b",),
    reads=("policy",),
    title=Text("Failed logins", "登录失败锁定"),
    criterion=Text(
        "an account is locked after 5 failed logins or fewer, for 5 minutes or longer",
        "连续失败不超过 5 次即锁定，锁定不少于 5 分钟",
    ),
    to_be_confirmed=True,
    reproduce="secedit /export /cfg secpol.inf; LockoutBadCount, LockoutDuration; net accounts",
    judge=_judge,
)
