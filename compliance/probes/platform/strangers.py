"""Devices that nobody has registered are decided on."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.platform_work import Inventory, Plan


def _judge(facts: Facts) -> Judgement:
    if not any(one.admission == "registered" for one in facts.rows("plan", Plan).zones):
        return judgement([Text("no zone is for registered devices only", "没有限定登记设备接入的区域")])
    strangers = facts.rows("inventory", Inventory).strangers
    return judgement([Text(f"unregistered for a week: {one}", f"超过一周未登记：{one}") for one in strangers])


PROBE = Probe(
    id="net.rogue_device.decided",
    way="net.rogue_device",
    source="platform",
    items=("8.1.3.1.b",),
    objects=("terminal",),
    reads=("plan", "inventory"),
    title=Text("Unknown devices", "未登记设备"),
    criterion=Text(
        "where registered devices only may be, none is unregistered for more than a week",
        "限定登记设备的区域内没有超过一周未登记的设备",
    ),
    to_be_confirmed=True,
    reproduce="console, Assets: observed",
    judge=_judge,
)
