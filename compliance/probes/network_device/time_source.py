"""The clock follows a source that proves itself."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.devices import device


def _judge(facts: Facts) -> Judgement:
    found = device(facts)
    if not found.time_servers:
        return judgement([Text("no NTP server", "未配置 NTP 服务器")], lines=())
    weak = [] if found.time_authenticated else [Text("NTP without authentication", "NTP 未启用认证")]
    return judgement(weak=weak, good=found.time_servers, lines=found.time_servers)


PROBE = Probe(
    id="netdev.config.time_source",
    way="netdev.config",
    source="network_device",
    items=("8.1.3.5.b", "8.1.4.3.b"),
    objects=("network_device", "security_device"),
    reads=("config", "dialect"),
    title=Text("Time source", "时间同步"),
    criterion=Text("the clock follows an NTP server, with authentication", "时钟与 NTP 服务器同步并启用认证"),
    to_be_confirmed=True,
    reproduce="display ntp-service status; show ntp associations",
    judge=_judge,
)
