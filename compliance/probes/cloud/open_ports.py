"""Security groups let not everybody reach management and databases. A rule that denies before it is not weighed."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement, not_applicable
from compliance.probes.facts import Facts
from compliance.probes.formats.cloud import Rule, rules

_RISKY = (
    20, 21, 22, 23, 69, 111, 135, 137, 138, 139, 161, 389, 445, 873, 1433, 1521, 2049, 2181, 2375, 2379, 3306, 3389, 5236, 5432,
    5900, 5984, 6379, 8500, 9200, 9300, 11211, 27017, 50070, 54321,
)  # fmt: skip
_USUAL = (80, 443)


def _judge(facts: Facts) -> Judgement:
    inward = rules(facts)
    if not inward:
        return not_applicable(Text("no rule lets anything in", "没有放行入方向的规则"))
    everybody = [one for one in inward if one.from_everywhere and not one.protocol.startswith("icmp")]
    bad = [one.shown() for one in everybody if _is_risky(one)]
    weak = [one.shown() for one in everybody if not _is_risky(one) and not (one.low == one.high and one.low in _USUAL)]
    good = Text(f"{len(inward)} rules, none of them open", f"共 {len(inward)} 条入方向规则，均未对全网开放")
    return judgement(bad, weak, [good])


def _is_risky(rule: Rule) -> bool:
    return rule.low < 0 or any(rule.low <= port <= rule.high for port in _RISKY)


PROBE = Probe(
    id="cloud.network_policy.open_ports",
    way="cloud.network_policy",
    source="cloud",
    items=("8.1.3.2.a", "8.2.3.1.a"),
    objects=("cloud_platform",),
    reads=("rules",),
    title=Text("Security groups", "安全组放行范围"),
    criterion=Text(
        "nothing but 80 and 443 is open to everybody, ports of management and databases never",
        "仅 80、443 可对全网开放，管理端口与数据库端口不得对全网开放",
    ),
    to_be_confirmed=True,
    reproduce="aliyun ecs DescribeSecurityGroupAttribute --SecurityGroupId …; hcloud VPC ListSecurityGroupRules",
    judge=_judge,
)
