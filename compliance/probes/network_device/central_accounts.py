"""Accounts are asked for at a server, or at least are there locally."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.devices import device


def _judge(facts: Facts) -> Judgement:
    found = device(facts)
    local = [line for user in found.users for line in user.lines]
    if found.aaa_servers:
        return judgement(good=["AAA"], lines=[*found.aaa_servers, *local])
    if not found.users:
        return judgement([Text("neither AAA servers nor local accounts", "既无 AAA 服务器也无本地账户")], lines=())
    admins = [user.name for user in found.users if user.is_admin]
    weak = [Text("local accounts only", "仅本地账户")]
    if len(admins) == len(found.users):
        weak.append(Text(f"all are administrators: {', '.join(admins)}", f"全部为管理员：{'、'.join(admins)}"))
    return judgement(weak=weak, lines=local)


PROBE = Probe(
    id="netdev.config.central_accounts",
    way="netdev.config",
    source="network_device",
    items=("8.1.4.2.a", "8.1.4.2.d"),
    objects=("network_device", "security_device"),
    reads=("config", "dialect"),
    title=Text("AAA", "AAA 集中认证"),
    criterion=Text("accounts are asked for at RADIUS or TACACS+ servers", "账户由 RADIUS 或 TACACS+ 服务器认证授权"),
    to_be_confirmed=True,
    reproduce="display radius-server configuration; show aaa servers",
    judge=_judge,
)
