"""Whoever crosses a boundary without a conduit is looked at."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.platform_work import Queue


def _judge(facts: Facts) -> Judgement:
    found = facts.rows("queue", Queue)
    waiting = [
        Text(f"alert {one.id} {one.rule} since {one.created_at}", f"告警 {one.id} {one.rule} 自 {one.created_at}")
        for one in found.waiting_crossings
    ]
    told = Text(f"{found.crossings} alerts of the zone rules", f"区域规则告警 {found.crossings} 条")
    return judgement(waiting, good=[told])


PROBE = Probe(
    id="flow.zone_policy.crossings",
    way="flow.zone_policy",
    source="platform",
    items=("8.1.3.1.a", "8.1.3.1.c"),
    objects=("network_device", "security_device", "terminal"),
    reads=("queue",),
    title=Text("Boundary violations", "越界访问处理"),
    criterion=Text(
        "no alert of the zone rules is untouched for more than a day",
        "区域规则告警没有超过一天未处理的",
    ),
    to_be_confirmed=True,
    reproduce="console, Alerts: engine zone, status new, oldest first",
    judge=_judge,
)
