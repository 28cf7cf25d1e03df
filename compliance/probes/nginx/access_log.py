"""Each request is recorded."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement, not_applicable
from compliance.probes.facts import Facts
from compliance.probes.formats.nginx import asked


def _judge(facts: Facts) -> Judgement:
    found = asked(facts)
    if found is None:
        return not_applicable(Text("there is no nginx", "没有 nginx"))
    lines = [one.shown() for one in found.named("access_log", "error_log")]
    bad, weak = [], []
    for server in found.named("server"):
        if any(one.arguments[:1] == ["off"] for one in found.in_force(server, "access_log")):
            name = next((" ".join(one.arguments) for one in server.body or [] if one.name == "server_name"), "_")
            bad.append(f"server {name}: access_log off")
    weak += [
        f"location {' '.join(one.parent.arguments)}: access_log off"
        for one in found.named("access_log")
        if one.arguments[:1] == ["off"] and one.parent is not None and one.parent.name == "location"
    ]
    weak += [one.shown() for one in found.named("error_log") if one.arguments[:1] == ["/dev/null"]]
    return judgement(bad, weak, lines, lines)


PROBE = Probe(
    id="nginx.audit.access_log",
    way="app.audit",
    source="nginx",
    items=("8.1.4.3.a",),
    objects=("middleware",),
    reads=("nginx", "nginx-programs", "processes"),
    title=Text("Records of requests", "访问日志"),
    criterion=Text(
        "access_log is on for each server and location, and errors are kept",
        "每个站点与路径均开启 access_log，且保留错误日志",
    ),
    reproduce="nginx -T | grep -E 'access_log|error_log'",
    judge=_judge,
)
