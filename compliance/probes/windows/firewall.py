"""What no rule allows is refused."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.windows import Profile, rows


def _judge(facts: Facts) -> Judgement:
    found = rows(facts, "firewall", Profile)
    bad = [Text(f"{one.name} is off", f"{one.name} 未启用") for one in found if not one.enabled]
    bad += [Text(f"{one.name} allows all", f"{one.name} 默认放行") for one in found if one.enabled and one.inbound == "Allow"]
    return judgement(bad, good=[f"{one.name}: {one.inbound}" for one in found])


PROBE = Probe(
    id="windows.firewall.default_deny",
    way="host.firewall",
    source="windows",
    items=("8.1.4.4.c",),
    reads=("firewall",),
    title=Text("Host firewall", "主机防火墙"),
    criterion=Text("the firewall is on in each profile and refuses what no rule allows", "各配置文件均启用防火墙，入站默认拒绝"),
    reproduce="Get-NetFirewallProfile -PolicyStore ActiveStore",
    judge=_judge,
)
