"""The network is divided, and it is said which addresses belong where."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.platform_work import Plan


def _judge(facts: Facts) -> Judgement:
    zones = facts.rows("plan", Plan).zones
    if len(zones) < 2:
        return judgement([Text(f"{len(zones)} zones", f"{len(zones)} 个区域")])
    unmarked = [Text(f"{one.id}: no range, VLAN or sensor", f"{one.id}：没有地址段、VLAN 或探针") for one in zones if not one.marks]
    unowned = [Text(f"{one.id}: no owner", f"{one.id}：没有责任单位") for one in zones if not one.owner]
    return judgement(weak=[*unmarked, *unowned], good=[Text(f"{len(zones)} zones", f"{len(zones)} 个区域")])


PROBE = Probe(
    id="cmdb.zones.plan",
    way="cmdb.zones",
    source="platform",
    items=("8.1.2.1.c",),
    objects=("network_device", "security_device", "wireless_device"),
    reads=("plan",),
    title=Text("Zones and addresses", "区域与地址规划"),
    criterion=Text(
        "there are zones, each with addresses and an owner",
        "已划分区域，每个区域有地址段和责任单位",
    ),
    reproduce="./liandun zones export",
    judge=_judge,
)
