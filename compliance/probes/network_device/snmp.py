"""SNMP is version 3 with encryption, or at least no default community."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement, not_applicable
from compliance.probes.facts import Facts
from compliance.probes.formats.devices import device


def _judge(facts: Facts) -> Judgement:
    found = device(facts)
    lines = [*(one.line for one in found.communities), *found.snmp_v3]
    if not found.snmp_on:
        return not_applicable(Text("SNMP is off", "未启用 SNMP"))
    bad = [Text(f"default community: {one.line}", f"默认团体字：{one.line}") for one in found.communities if one.is_default]
    bad += [
        Text(f"may write: {one.line}", f"可写团体字：{one.line}")
        for one in found.communities
        if one.may_write and not one.is_default
    ]
    weak = [Text(f"v1/v2c: {one.line}", f"v1/v2c：{one.line}") for one in found.communities]
    if not found.communities and not found.snmp_v3:
        weak.append(Text("no group of version 3 with privacy", "没有带加密的 v3 组"))
    return judgement(bad, weak if not bad else [], found.snmp_v3, lines)


PROBE = Probe(
    id="netdev.config.snmp",
    way="netdev.config",
    source="network_device",
    items=("8.1.4.1.c", "8.1.4.2.b"),
    objects=("network_device", "security_device"),
    reads=("config", "dialect"),
    title=Text("SNMP", "SNMP"),
    criterion=Text(
        "SNMP is version 3 with privacy; communities are partly, default or writing ones are not met",
        "SNMP 使用带加密的 v3；团体字为部分符合，默认或可写团体字为不符合",
    ),
    to_be_confirmed=True,
    reproduce="display current-configuration | include snmp; show running-config | include snmp-server",
    judge=_judge,
)
