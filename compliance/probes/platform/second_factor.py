"""Nobody comes in with a password alone."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.platform import People


def _judge(facts: Facts) -> Judgement:
    found = facts.rows("people", People)
    people = [one for one in found.people if one.active and one.local and one.role and not one.invited]
    if not people:
        return judgement([Text("there is no account", "没有账户")])
    weak = [
        Text(f"{one.name}: no second factor yet", f"{one.name}：尚无第二因素")
        for one in people
        if one.needs_factor and not one.factors
    ]
    if found.numbers.second_factor != "all":
        weak.append(Text("business roles may do without", "业务角色可不使用第二因素"))
    return judgement(weak=weak, good=[Text(f"{len(people)} accounts", f"{len(people)} 个账户")])


PROBE = Probe(
    id="app.auth.second_factor",
    way="app.auth",
    source="platform",
    items=("8.1.4.1.d",),
    units=("6.4.1",),
    objects=("application", "system_software"),
    reads=("people",),
    title=Text("Second factor", "双因素鉴别"),
    criterion=Text(
        "every account needs a second factor (TOTP, WebAuthn, certificate) and has one",
        "每个账户都须使用并已登记第二因素（TOTP、WebAuthn 或证书）",
    ),
    reproduce="[accounts] second_factor of the configuration; console, Accounts",
    judge=_judge,
)
