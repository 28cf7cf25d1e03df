"""The host drops what no rule allows."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.filters import incoming_iptables, incoming_nft


def _judge(facts: Facts) -> Judgement:
    states = []
    if facts.is_read("nft"):
        states.append(incoming_nft(facts.text("nft")))
    if facts.is_read("iptables"):
        states.append(incoming_iptables(facts.text("iptables")))
    if not states:
        raise Unreadable("the packet filter could not be asked (nft, iptables-save)", "无法查询报文过滤规则（nft、iptables-save）")
    if "drop" in states:
        return judgement(good=[Text("the rest is dropped", "未允许的一律丢弃")])
    if "rules" in states:
        return judgement(weak=[Text("there are rules, but the rest passes", "有规则，但未匹配的放行")])
    return judgement([Text("nothing is filtered", "没有任何过滤")])


PROBE = Probe(
    id="host.firewall.default_deny",
    way="host.firewall",
    source="linux",
    items=("8.1.4.4.c",),
    reads=("nft", "iptables"),
    title=Text("Host firewall", "主机防火墙"),
    criterion=Text("incoming packets that no rule allows are dropped", "未被规则允许的入站报文一律丢弃"),
    reproduce="nft list ruleset; iptables-save; firewall-cmd --list-all",
    judge=_judge,
)
