"""Accounts and keys that nobody needs any more are off."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.platform import People

DAYS = 90


def _judge(facts: Facts) -> Judgement:
    found = facts.rows("people", People)
    active = [one for one in found.people if one.active]
    bad = [Text(f"{one.name}: its time is over", f"{one.name}：已到期") for one in active if one.ended]
    bad += [
        Text(f"{one.name}: unused for {one.unused_days} days", f"{one.name}：{one.unused_days} 天未用")
        for one in active
        if one.unused_days > DAYS
    ]
    bad += [Text(f"key {one} of an account that is off", f"密钥 {one} 属于已停用账户") for one in found.keys]
    return judgement(bad, good=[Text(f"{len(active)} active accounts", f"有效账户 {len(active)} 个")])


PROBE = Probe(
    id="app.accounts.stale",
    way="app.accounts",
    source="platform",
    items=("8.1.4.2.c",),
    objects=("application", "system_software"),
    reads=("people",),
    title=Text("Accounts that are left over", "多余与过期账户"),
    criterion=Text(
        "no active account is out of date or unused for 90 days, and no key outlives its owner",
        "没有到期或 90 天未用的有效账户，没有失主的接口密钥",
    ),
    to_be_confirmed=True,
    reproduce="console, Accounts",
    judge=_judge,
)
