"""Alerts reach people who do not look at the console."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.platform_work import Delivery


def _judge(facts: Facts) -> Judgement:
    found = facts.rows("delivery", Delivery)
    working = [one for one in found.targets if one.enabled]
    if not working:
        return judgement([Text("alerts are sent nowhere", "没有启用的告警外发目标")])
    weak = [
        Text(f"{one.name}: fails since {one.failures} rounds", f"{one.name}：连续失败 {one.failures} 轮")
        for one in working
        if one.failures
    ]
    if found.dead:
        weak.append(Text(f"{found.dead} messages of 30 days did not arrive", f"30 天内 {found.dead} 条消息未送达"))
    return judgement(weak=weak, good=[Text(f"{one.name} ({one.kind})", f"{one.name}（{one.kind}）") for one in working])


PROBE = Probe(
    id="soc.notify.delivered",
    way="soc.notify",
    source="platform",
    items=("8.1.3.3.d", "8.1.5.4.f"),
    objects=("management_platform", "security_device"),
    reads=("delivery",),
    title=Text("Alerts are delivered", "告警送达"),
    criterion=Text(
        "alerts go to a place outside of the console, and arrive",
        "告警外发到控制台之外的目标且送达",
    ),
    reproduce="console, Platform: webhooks",
    judge=_judge,
)
