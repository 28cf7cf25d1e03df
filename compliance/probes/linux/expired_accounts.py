"""Accounts that have run out are locked, not left lying."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.accounts import passwords
from compliance.probes.formats.keyed import number

_LONG = 90
"""Days after the end of a password or an account."""


def _judge(facts: Facts) -> Judgement:
    seconds = number(facts.text("clock"))
    if seconds is None:
        raise Unreadable("the host does not say its time", "主机未给出时间")
    today = seconds // 86_400
    bad = []
    for one in passwords(facts.listed("shadow")):
        if not one.is_set:
            continue
        if one.expires is not None and one.expires + _LONG < today:
            days = today - one.expires
            bad.append(Text(f"{one.name}: ran out {days} days ago, not locked", f"{one.name}：账户过期 {days} 天仍未锁定"))
        elif one.changed is not None and one.most is not None and one.changed + one.most + _LONG < today:
            days = today - one.changed - one.most
            bad.append(Text(f"{one.name}: password overdue for {days} days", f"{one.name}：口令过期 {days} 天仍未处理"))
    return judgement(bad)


PROBE = Probe(
    id="host.accounts.expired_accounts",
    way="host.accounts",
    source="linux",
    items=("8.1.4.2.c",),
    reads=("shadow", "clock"),
    title=Text("Expired accounts", "过期账户"),
    criterion=Text("no account with a password is out of date for more than 90 days", "没有过期超过 90 天仍保留口令的账户"),
    to_be_confirmed=True,
    reproduce="chage -l NAME",
    judge=_judge,
)
