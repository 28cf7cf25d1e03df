"""Browsers are told to come by HTTPS only (RFC 6797)."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement, not_applicable
from compliance.probes.facts import Facts
from compliance.probes.formats.nginx import asked


def _judge(facts: Facts) -> Judgement:
    found = asked(facts)
    if found is None:
        return not_applicable(Text("there is no nginx", "没有 nginx"))
    servers = [
        one
        for one in found.named("server")
        if any("ssl" in listen.arguments for listen in one.body or [] if listen.name == "listen")
    ]
    if not servers:
        return not_applicable(Text("no server with TLS", "没有启用 TLS 的站点"))
    without = []
    for server in servers:
        headers = [one.arguments[0].lower() for one in found.in_force(server, "add_header") if one.arguments]
        name = next((" ".join(one.arguments) for one in server.body or [] if one.name == "server_name"), "_")
        without += [] if "strict-transport-security" in headers else [f"server {name}"]
    return judgement(without if len(without) == len(servers) else [], without)


PROBE = Probe(
    id="nginx.tls.transport_header",
    way="tls.scan",
    source="nginx",
    items=("8.1.4.8.a",),
    objects=("middleware",),
    reads=("nginx", "nginx-programs", "processes"),
    title=Text("Strict transport", "HSTS"),
    criterion=Text("servers with TLS send Strict-Transport-Security", "TLS 站点发送 Strict-Transport-Security"),
    to_be_confirmed=True,
    reproduce="curl -sI https://HOST/ | grep -i strict-transport",
    judge=_judge,
)
