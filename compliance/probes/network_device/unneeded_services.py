"""Services that the device does not need are off."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.devices import device


def _judge(facts: Facts) -> Judgement:
    found = device(facts)
    lines = [*found.ftp, *found.http, *found.telnet, *found.other_services]
    telnet = [] if found.dialect == "cisco" else found.telnet
    return judgement([*found.ftp, *found.http, *telnet], found.other_services, lines=lines)


PROBE = Probe(
    id="netdev.config.unneeded_services",
    way="netdev.config",
    source="network_device",
    items=("8.1.4.4.b",),
    objects=("network_device", "security_device"),
    reads=("config", "dialect"),
    title=Text("Services of the device", "设备服务"),
    criterion=Text("FTP, TFTP, HTTP, Telnet and small servers are off", "FTP、TFTP、HTTP、Telnet 与小服务均关闭"),
    to_be_confirmed=True,
    reproduce="display current-configuration | include enable; show running-config | include server|service",
    judge=_judge,
)
