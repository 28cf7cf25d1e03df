"""Passwords run out."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement, not_applicable
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.keyed import number
from compliance.probes.formats.mysql import accounts, variables

_LONGEST = 90


def _judge(facts: Facts) -> Judgement:
    usual = number(variables(facts).get("default_password_lifetime"))
    if usual is None:
        raise Unreadable("the server does not say default_password_lifetime", "服务器未给出 default_password_lifetime")
    found = [one for one in accounts(facts) if one.has_password]
    if not found:
        return not_applicable(Text("no account has a password", "没有以口令登录的账户"))
    endless = []
    for one in found:
        own = number(one.lifetime)
        days = usual if own is None or own < 0 else own
        if not 0 < days <= _LONGEST:
            endless.append(Text(f"{one.shown()}: {days or 'never'}", f"{one.shown()}：{f'{days} 天' if days else '永不过期'}"))
    return judgement(endless if len(endless) == len(found) else [], endless, [f"default_password_lifetime = {usual}"])


PROBE = Probe(
    id="mysql.passwords.ageing",
    way="db.accounts",
    source="mysql",
    items=("8.1.4.1.a",),
    objects=("database",),
    reads=("variables", "accounts", "ages"),
    title=Text("Passwords run out", "口令有效期"),
    criterion=Text("each password lasts 90 days at most", "每个口令最长 90 天"),
    to_be_confirmed=True,
    reproduce="SHOW VARIABLES LIKE 'default_password_lifetime'; SHOW CREATE USER …",
    judge=_judge,
)
