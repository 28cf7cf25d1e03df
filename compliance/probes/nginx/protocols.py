"""nginx offers no version of TLS that is broken."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement, not_applicable
from compliance.probes.facts import Facts
from compliance.probes.formats.nginx import asked

_BAD = ("SSLv2", "SSLv3", "TLSv1", "TLSv1.1")


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
    bad, weak, lines = [], [], []
    for server in servers:
        said = found.in_force(server, "ssl_protocols")
        lines += [one.shown() for one in said]
        bad += [one.shown() for one in said if set(one.arguments) & set(_BAD)]
        if not said:
            weak.append(Text("ssl_protocols is not set: it depends on the version", "未设置 ssl_protocols，取决于版本默认值"))
    return judgement(dict.fromkeys(bad), dict.fromkeys(weak), lines, dict.fromkeys(lines))


PROBE = Probe(
    id="nginx.tls.protocols",
    way="tls.scan",
    source="nginx",
    items=("8.1.4.7.a", "8.1.4.8.a"),
    units=("6.4.4",),
    objects=("middleware",),
    reads=("nginx", "nginx-programs", "processes"),
    title=Text("Versions of TLS", "TLS 版本"),
    criterion=Text(
        "each server with TLS has ssl_protocols with TLS 1.2 and later only",
        "每个 TLS 站点的 ssl_protocols 仅含 TLS 1.2 及以上",
    ),
    to_be_confirmed=True,
    reproduce="nginx -T | grep ssl_protocols",
    judge=_judge,
)
