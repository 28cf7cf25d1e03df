"""What may cross a boundary is said, by service and by whom it was allowed."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.platform_work import Plan


def _judge(facts: Facts) -> Judgement:
    conduits = facts.rows("plan", Plan).conduits
    if not conduits:
        return judgement([Text("no conduit is defined", "没有定义通道")])
    live = [one for one in conduits if one.state != "expired"]
    bad = [Text(f"{one.id}: every service", f"{one.id}：放行全部服务") for one in live if "any" in one.services]
    weak = [
        Text(f"{one.id}: not said why or by whom", f"{one.id}：没有理由或批准人")
        for one in live
        if not (one.reason and one.approver)
    ]
    weak += [
        Text(f"{one.id}: has expired and is still there", f"{one.id}：已到期未清理") for one in conduits if one.state == "expired"
    ]
    return judgement(bad, weak, [Text(f"{len(live)} conduits in force", f"{len(live)} 条通道在用")])


PROBE = Probe(
    id="flow.zone_policy.conduits",
    way="flow.zone_policy",
    source="platform",
    items=("8.1.3.1.a", "8.1.3.2.a"),
    objects=("network_device", "security_device", "wireless_device"),
    reads=("plan",),
    title=Text("Conduits", "跨区通道"),
    criterion=Text(
        "crossings are allowed service by service, with reason and approver; none is left over",
        "跨区访问按服务放行，有理由和批准人；无到期未清理的通道",
    ),
    to_be_confirmed=True,
    reproduce="./liandun zones export",
    judge=_judge,
)
