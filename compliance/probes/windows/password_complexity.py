"""Passwords are hard to guess."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.secedit import access


def _judge(facts: Facts) -> Judgement:
    length, complexity, clear = access(facts, "MinimumPasswordLength", "PasswordComplexity", "ClearTextPassword")
    bad: list[Text | str] = [f"MinimumPasswordLength = {length}"] if length < 8 else []
    bad += ["PasswordComplexity = 0"] if not complexity else []
    bad += [Text("ClearTextPassword = 1: kept reversibly", "ClearTextPassword = 1：可还原存储")] if clear else []
    return judgement(bad, good=[f"MinimumPasswordLength = {length}", "PasswordComplexity = 1"])


PROBE = Probe(
    id="windows.passwords.complexity",
    way="host.pam_pwquality",
    source="windows",
    items=("8.1.4.1.a",),
    units=("6.3.1",),
    reads=("policy",),
    title=Text("Rules for passwords", "口令复杂度"),
    criterion=Text(
        "passwords have 8 characters or more of 3 kinds and are not kept reversibly",
        "口令至少 8 位、符合复杂性要求（3 类字符），不以可还原方式存储",
    ),
    to_be_confirmed=True,
    reproduce="secedit /export /cfg secpol.inf; MinimumPasswordLength, PasswordComplexity, ClearTextPassword",
    judge=_judge,
)
