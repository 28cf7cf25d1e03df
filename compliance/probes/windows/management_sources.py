"""Not every address may manage the host."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.remote_desktop import is_off
from compliance.probes.formats.windows import PortRule, Profile, rows

_ANY = {"Any", "0.0.0.0/0.0.0.0", "0.0.0.0/0", "::/0", "*"}


def _judge(facts: Facts) -> Judgement:
    if not all(one.enabled and one.inbound != "Allow" for one in rows(facts, "firewall", Profile)):
        return judgement([Text("the firewall does not stop anybody", "防火墙未拦截任何来源")])
    rules = facts.rows("port-rules", list[PortRule])
    open_rules = [f"{one.name}: {', '.join(one.ports)}" for one in rules if _ANY & set(one.sources) or not one.sources]
    weak = [Text(one, one) for one in open_rules]
    if not rules and not is_off(facts):
        return judgement(good=[Text("no rule lets anybody in", "没有放行规则")])
    return judgement(
        open_rules if len(open_rules) == len(rules) else [], weak, [f"{one.name}: {', '.join(one.sources)}" for one in rules]
    )


PROBE = Probe(
    id="windows.remote_desktop.sources",
    way="host.firewall",
    source="windows",
    items=("8.1.4.4.c",),
    reads=("firewall", "port-rules", "registry"),
    title=Text("Addresses that may manage", "管理终端地址限制"),
    criterion=Text("rules for remote desktop and WinRM name addresses", "远程桌面与 WinRM 的放行规则限定来源地址"),
    reproduce="Get-NetFirewallPortFilter | ? LocalPort -in 3389,5985,5986 | Get-NetFirewallRule | Get-NetFirewallAddressFilter",
    judge=_judge,
)
