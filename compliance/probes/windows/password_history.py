"""Passwords do not come back."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.secedit import access


def _judge(facts: Facts) -> Judgement:
    (kept,) = access(facts, "PasswordHistorySize")
    shown = f"PasswordHistorySize = {kept}"
    return judgement([shown] if not kept else [], [shown] if 0 < kept < 5 else [], [shown])


PROBE = Probe(
    id="windows.passwords.history",
    way="host.pam_pwquality",
    source="windows",
    items=("8.1.4.1.a",),
    reads=("policy",),
    title=Text("Password history", "口令历史"),
    criterion=Text("the last 5 passwords or more cannot be used again", "最近 5 个及以上的口令不能重复使用"),
    to_be_confirmed=True,
    reproduce="secedit /export /cfg secpol.inf; PasswordHistorySize",
    judge=_judge,
)
