"""Registered devices are heard of."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.platform_work import Inventory

MOST, SOME = 0.95, 0.6


def _judge(facts: Facts) -> Judgement:
    found = facts.rows("inventory", Inventory)
    if not found.registered:
        return judgement([Text("no asset is registered", "没有登记资产")])
    share = 1 - found.unheard / found.registered
    told = Text(f"{share:.0%} of {found.registered} seen within a week", f"登记资产 {found.registered} 个，一周内出现 {share:.0%}")
    return judgement([told] if share < SOME else [], [told] if share < MOST else [], [told])


PROBE = Probe(
    id="mon.coverage.assets",
    way="mon.coverage",
    source="platform",
    items=("8.1.5.4.c",),
    objects=("management_platform", "system_software"),
    reads=("inventory",),
    title=Text("Monitoring coverage", "监测覆盖率"),
    criterion=Text(
        "95 % of the registered devices were seen within a week; 60 % is partly",
        "一周内监测到 95% 以上的登记资产；60% 以上为部分符合",
    ),
    to_be_confirmed=True,
    reproduce="console, Assets: registered, by last seen",
    judge=_judge,
)
