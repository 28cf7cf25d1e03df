"""No rule lets everything through."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement, not_applicable
from compliance.probes.facts import Facts
from compliance.probes.formats.devices import device


def _judge(facts: Facts) -> Judgement:
    found = device(facts)
    if not found.rules:
        return not_applicable(Text("the configuration has no list of rules", "配置中没有访问控制列表"))
    lines = [f"{rule.acl}: {rule.line}" for rule in found.open_rules]
    return judgement(lines, good=[Text(f"{found.rules} rules", f"共 {found.rules} 条规则")], lines=lines)


PROBE = Probe(
    id="fw.policy.open_rules",
    way="fw.policy",
    source="network_device",
    items=("8.1.3.2.a", "8.1.3.2.c"),
    units=("6.2.4",),
    objects=("network_device", "security_device"),
    reads=("config", "dialect"),
    title=Text("Rules that permit everything", "全通规则"),
    criterion=Text("no rule permits any protocol from anywhere to anywhere", "没有任意源到任意目的放行全部协议的规则"),
    reproduce="display acl all; show access-lists",
    judge=_judge,
)
