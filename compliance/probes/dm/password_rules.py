"""New passwords are hard to guess."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.dm import variables, whole

_LENGTH, _UPPER, _DIGIT, _SIGN = 2, 4, 8, 16


def _judge(facts: Facts) -> Judgement:
    policy, least = (whole(one) for one in variables(facts, "pwd_policy", "pwd_min_len"))
    shown = f"PWD_POLICY = {policy}, PWD_MIN_LEN = {least}"
    kinds = sum(bool(policy & kind) for kind in (_UPPER, _DIGIT, _SIGN))
    if not policy & _LENGTH or not kinds:
        return judgement([shown])
    return judgement(weak=[shown] if kinds < 2 or least < 8 else [], good=[shown])


PROBE = Probe(
    id="dm.passwords.complexity",
    way="db.accounts",
    source="dm",
    items=("8.1.4.1.a",),
    units=("6.4.1",),
    objects=("database",),
    reads=("variables",),
    title=Text("Rules for passwords", "口令复杂度"),
    criterion=Text(
        "PWD_POLICY asks for length and for two or more of capitals, digits and signs",
        "PWD_POLICY 要求长度，且要求大写字母、数字、符号中的两类以上",
    ),
    to_be_confirmed=True,
    reproduce="SELECT PARA_NAME, PARA_VALUE FROM V$DM_INI WHERE PARA_NAME LIKE 'PWD_%'",
    judge=_judge,
)
