"""Passwords of the console are hard to guess, and change."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.platform import DAY, People

LENGTH, HISTORY, DAYS = 8, 5, 90


def _judge(facts: Facts) -> Judgement:
    numbers = facts.rows("people", People).numbers
    age = numbers.password_age // DAY
    bad = (
        [Text(f"{numbers.password_length} characters", f"{numbers.password_length} 位")] if numbers.password_length < LENGTH else []
    )
    weak = (
        [Text(f"the last {numbers.password_history} cannot be used again", f"不得重复最近 {numbers.password_history} 个")]
        if numbers.password_history < HISTORY
        else []
    )
    weak += [Text(f"changed every {age} days", f"每 {age} 天更换")] if age > DAYS else []
    good = Text(
        f"{numbers.password_length} characters, {age} days, history {numbers.password_history}",
        f"{numbers.password_length} 位，{age} 天更换，历史 {numbers.password_history} 个",
    )
    return judgement(bad, weak, [good])


PROBE = Probe(
    id="app.auth.passwords",
    way="app.auth",
    source="platform",
    items=("8.1.4.1.a",),
    objects=("application", "system_software"),
    reads=("people",),
    title=Text("Rules of passwords", "口令规则"),
    criterion=Text(
        "passwords have 8 characters or more, none of the last 5, changed within 90 days",
        "口令不少于 8 位，不重复最近 5 个，90 天内更换",
    ),
    to_be_confirmed=True,
    reproduce="[accounts] of the configuration",
    judge=_judge,
)
