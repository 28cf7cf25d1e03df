"""Secrets in the configuration cannot be read."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.devices import device


def _judge(facts: Facts) -> Judgement:
    found = device(facts)
    bad = [Text(f"in clear: {line}", f"明文：{line}") for line in found.clear_secrets]
    weak = [Text(f"reversible: {line}", f"可逆加密：{line}") for line in found.reversible_secrets]
    lines = [*found.clear_secrets, *found.reversible_secrets, *(line for user in found.users for line in user.lines)]
    return judgement(bad, weak, lines=dict.fromkeys(lines))


PROBE = Probe(
    id="netdev.config.stored_secrets",
    way="netdev.config",
    source="network_device",
    items=("8.1.4.8.b",),
    objects=("network_device", "security_device"),
    reads=("config", "dialect"),
    title=Text("Secrets in the configuration", "配置中的口令存储"),
    criterion=Text(
        "the configuration has no password in clear; reversible ones are partly",
        "配置中没有明文口令；可逆加密为部分符合",
    ),
    reproduce="display current-configuration | include password|simple|cipher; show running-config | include password|secret",
    judge=_judge,
)
