"""What happens on the device is recorded elsewhere."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.devices import device


def _judge(facts: Facts) -> Judgement:
    found = device(facts)
    lines = [*found.log_hosts, *found.logging_off]
    if found.logging_off:
        return judgement(found.logging_off, lines=lines)
    if not found.log_hosts:
        return judgement([Text("no log host", "未配置日志主机")], lines=lines)
    return judgement(good=found.log_hosts, lines=lines)


PROBE = Probe(
    id="netdev.config.log_host",
    way="netdev.config",
    source="network_device",
    items=("8.1.3.5.a", "8.1.4.3.a"),
    objects=("network_device", "security_device"),
    reads=("config", "dialect"),
    title=Text("Log host", "日志主机"),
    criterion=Text("records are switched on and sent to a log host", "日志功能开启并发往日志主机"),
    reproduce="display info-center; show logging",
    judge=_judge,
)
