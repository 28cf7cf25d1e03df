"""Each request is recorded, with what is needed."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.tomcat import Node, server

_NEEDED = {
    "time": ("%t", "%{"),
    "address": ("%h", "%a", "%{X-Forwarded-For}i"),
    "account": ("%u",),
    "request": ("%r", "%U"),
    "outcome": ("%s",),
}
_NAMED = ("common", "combined")


def _judge(facts: Facts) -> Judgement:
    top = server(facts)
    hosts = list(top.all("Host"))
    if not hosts:
        raise Unreadable("server.xml has no Host", "server.xml 中没有 Host")
    above = [one for engine in top.all("Engine") for one in engine.inside if _is_log(one)]
    bad = [
        Text(f"{one.shown()}: no access log", f"{one.shown()}：没有访问日志")
        for one in hosts
        if not above and not any(map(_is_log, one.inside))
    ]
    valves = [one for one in top.all("Valve") if _is_log(one)]
    return judgement(
        bad, [f"{one.shown()}: {', '.join(_missing(one))}" for one in valves if _missing(one)], [one.shown() for one in valves]
    )


def _is_log(one: Node) -> bool:
    return one.name == "Valve" and one.get("className").endswith("AccessLogValve") and one.get("enabled", "true").lower() != "false"


def _missing(valve: Node) -> list[str]:
    pattern = valve.get("pattern", "common")
    return [] if pattern in _NAMED else [name for name, signs in _NEEDED.items() if not any(sign in pattern for sign in signs)]


PROBE = Probe(
    id="tomcat.audit.access_log",
    way="app.audit",
    source="tomcat",
    items=("8.1.4.3.a", "8.1.4.3.b"),
    objects=("middleware",),
    reads=("server",),
    title=Text("Access log", "访问日志"),
    criterion=Text(
        "each host has an access log with time, address, account, request and outcome",
        "每个 Host 均有访问日志，含时间、来源、账户、请求与结果",
    ),
    reproduce="grep -A3 AccessLogValve conf/server.xml",
    judge=_judge,
)
