"""What manages the others stands apart."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.platform_work import Plan


def _judge(facts: Facts) -> Judgement:
    zones = [one for one in facts.rows("plan", Plan).zones if one.layer == "operations"]
    if not zones:
        return judgement([Text("no zone of the layer operations", "没有运维运营层的区域")])
    weak = [Text(f"{one.id}: no range", f"{one.id}：没有地址段") for one in zones if not one.marks]
    weak += [
        Text(f"{one.id}: any device may appear", f"{one.id}：未限定登记设备") for one in zones if one.admission != "registered"
    ]
    return judgement(weak=weak, good=[one.id for one in zones])


PROBE = Probe(
    id="cmdb.zones.management",
    way="cmdb.zones",
    source="platform",
    items=("8.1.5.4.a",),
    objects=("network_device",),
    reads=("plan",),
    title=Text("Management zone", "管理区域"),
    criterion=Text(
        "there is a zone of the layer operations, with ranges, for registered devices only",
        "有运维运营层的管理区域，已定地址段，只准登记设备接入",
    ),
    to_be_confirmed=True,
    reproduce="./liandun zones list",
    judge=_judge,
)
