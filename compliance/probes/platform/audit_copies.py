"""Heads of the trail are kept elsewhere, too."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.platform import Trail, days_between


def _judge(facts: Facts) -> Judgement:
    found = facts.rows("trail", Trail)
    outside = [one for one in found.copies if one.place != "file"]
    if not outside:
        return judgement(weak=[Text("signed heads stay on this machine", "签名只留在本机")])
    weak = [Text(f"{one.place}: {one.error}", f"{one.place}：{one.error}") for one in outside if one.error]
    weak += [
        Text(f"{one.place}: nothing since {one.time}", f"{one.place}：自 {one.time} 起无更新")
        for one in outside
        if not one.error and days_between(one.time, found.at) > 7
    ]
    return judgement(weak=weak, good=[f"{one.place}: {one.size}" for one in outside])


PROBE = Probe(
    id="log.backup.audit_heads",
    way="log.backup",
    source="platform",
    items=("8.1.4.3.c",),
    objects=("management_platform", "security_device"),
    reads=("trail",),
    title=Text("Copies of the trail", "审计签名异地留存"),
    criterion=Text(
        "signed heads are sent to another machine, and arrive",
        "审计签名发送到其他主机且送达",
    ),
    reproduce="./liandun audit heads; [audit] of the configuration",
    judge=_judge,
)
