"""The device is managed over SSH, not over Telnet or HTTP."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.devices import device


def _judge(facts: Facts) -> Judgement:
    found = device(facts)
    vtys = [way for way in found.access if way.is_vty]
    lines = [*found.telnet, *found.http, *found.ssh, *found.old_ssh, *(line for way in vtys for line in way.block.lines())]
    if found.dialect == "cisco":
        bad = [f"{way.block.head}: telnet" for way in vtys if "telnet" in way.protocols]
    else:
        bad = list(found.telnet)
    weak = list(found.old_ssh)
    open_to_telnet = [f"{way.block.head}: {' '.join(sorted(way.protocols))}" for way in vtys if "telnet" in way.protocols]
    weak += open_to_telnet if found.dialect != "cisco" and not bad else []
    if not bad and not found.ssh and not any("ssh" in way.protocols for way in vtys):
        return judgement(weak=[Text("SSH is not switched on", "未启用 SSH")], lines=lines)
    return judgement([*bad, *found.http], weak, ["SSH"], lines)


PROBE = Probe(
    id="netdev.config.remote_login",
    way="netdev.config",
    source="network_device",
    items=("8.1.4.1.c", "8.1.5.4.b"),
    units=("6.2.3",),
    objects=("network_device", "security_device"),
    reads=("config", "dialect"),
    title=Text("Sealed management", "加密的远程管理"),
    criterion=Text(
        "management goes over SSH version 2 or HTTPS only, not over Telnet or HTTP",
        "远程管理只用 SSHv2 或 HTTPS，不用 Telnet、HTTP",
    ),
    reproduce="display current-configuration | include telnet|ssh|http; show running-config | include transport|ip http|ip ssh",
    judge=_judge,
)
