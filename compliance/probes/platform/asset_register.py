"""The inventory says what belongs to whom."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.platform_work import Inventory


def _judge(facts: Facts) -> Judgement:
    found = facts.rows("inventory", Inventory)
    if not found.registered:
        return judgement([Text("no asset is registered", "没有登记资产")])
    weak = (
        [Text(f"{found.unnamed} of {found.registered} belong to nobody", f"{found.registered} 个中 {found.unnamed} 个没有责任单位")]
        if found.unnamed
        else []
    )
    return judgement(weak=weak, good=[Text(f"{found.registered} registered", f"登记 {found.registered} 个")])


PROBE = Probe(
    id="cmdb.assets.register",
    way="cmdb.assets",
    source="platform",
    items=("8.1.10.2.a",),
    objects=("document",),
    reads=("inventory",),
    title=Text("Inventory", "资产清单"),
    criterion=Text(
        "assets are registered, each with the bureau that it belongs to",
        "资产已登记且均有责任单位",
    ),
    reproduce="console, Assets",
    judge=_judge,
)
