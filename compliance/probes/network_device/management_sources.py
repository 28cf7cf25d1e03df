"""Only some addresses may manage the device."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.devices import device


def _judge(facts: Facts) -> Judgement:
    found = device(facts)
    vtys = [way for way in found.access if way.is_vty]
    if not vtys:
        raise Unreadable("the configuration has no vty lines", "配置中没有 VTY 线路")
    lines = [
        *found.management_acls,
        *(line for way in vtys for line in way.block.lines()),
        *(one.line for one in found.communities),
    ]
    over_server = any(line.startswith(("ssh server acl", "ssh ipv6 server acl")) for line in found.management_acls)
    open_ways = [
        Text(f"{way.block.head}: no ACL", f"{way.block.head}：未绑定 ACL") for way in vtys if not way.acl and not over_server
    ]
    weak = [Text(f"no ACL: {one.line}", f"未绑定 ACL：{one.line}") for one in found.communities if not one.acl]
    return judgement(open_ways, weak, lines=lines)


PROBE = Probe(
    id="netdev.config.management_sources",
    way="netdev.config",
    source="network_device",
    items=("8.1.4.4.c",),
    objects=("network_device", "security_device"),
    reads=("config", "dialect"),
    title=Text("Addresses that may manage", "管理终端地址限制"),
    criterion=Text(
        "an ACL stands before the vty lines (or SSH) and before SNMP communities",
        "VTY（或 SSH）与 SNMP 团体字均绑定 ACL",
    ),
    reproduce="display current-configuration | include acl; show running-config | include access-class|snmp-server community",
    judge=_judge,
)
