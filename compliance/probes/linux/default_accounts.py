"""Accounts that the system brings along cannot log in."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.accounts import accounts, passwords

_FIRST_PERSON = 1000


def _judge(facts: Facts) -> Judgement:
    found = [one for text in facts.files("accounts").values() for one in accounts(text)]
    if not found:
        raise Unreadable("/etc/passwd has no account", "/etc/passwd 中没有账户")
    own = [one for one in found if 0 < one.uid < _FIRST_PERSON and one.may_log_in]
    set_ones = {one.name for one in passwords(facts.listed("shadow")) if one.kind != "locked"}
    bad = [
        Text(f"{one.name} (uid {one.uid}) has a password and {one.shell}", f"{one.name}（uid {one.uid}）有口令且外壳为 {one.shell}")
        for one in own
        if one.name in set_ones
    ]
    weak = [
        Text(f"{one.name} (uid {one.uid}) has {one.shell}", f"{one.name}（uid {one.uid}）外壳为 {one.shell}")
        for one in own
        if one.name not in set_ones and one.name not in ("postgres", "oracle", "dmdba", "kingbase")
    ]
    return judgement(bad, weak)


PROBE = Probe(
    id="host.accounts.default_accounts",
    way="host.accounts",
    source="linux",
    items=("8.1.4.2.b", "8.1.4.2.c"),
    reads=("accounts", "shadow"),
    title=Text("Default accounts", "默认账户"),
    criterion=Text(
        "accounts of the system (UID below 1000) have no password and no shell",
        "系统账户（UID 小于 1000）无口令且无登录外壳",
    ),
    to_be_confirmed=True,
    reproduce="awk -F: '$3>0&&$3<1000&&$7!~/nologin|false/{print}' /etc/passwd; passwd -S NAME",
    judge=_judge,
)
