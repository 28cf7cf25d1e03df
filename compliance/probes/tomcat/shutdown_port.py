"""Nobody from afar can stop the server, and AJP is not open."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.tomcat import connectors, is_ajp, is_loopback, server


def _judge(facts: Facts) -> Judgement:
    top = server(facts)
    weak = [top.shown()] if top.get("port", "8005") != "-1" and top.get("shutdown", "SHUTDOWN") == "SHUTDOWN" else []
    ajp = [one for one in connectors(facts) if is_ajp(one) and not is_loopback(one)]
    bad = [one.shown() for one in ajp if not (one.get("secret") or one.get("requiredSecret"))]
    return judgement(bad, weak + [one.shown() for one in ajp if one.shown() not in bad], [top.shown()])


PROBE = Probe(
    id="tomcat.services.shutdown_port",
    way="host.services",
    source="tomcat",
    items=("8.1.4.4.b",),
    objects=("middleware",),
    reads=("server",),
    title=Text("Shutdown port and AJP", "关闭端口与 AJP"),
    criterion=Text(
        "the port for shutdown is off or has a word of its own, and AJP is off or on the host itself only",
        "关闭端口已停用或更换指令，AJP 已停用或仅限本机",
    ),
    to_be_confirmed=True,
    reproduce="grep -e '<Server' -e AJP conf/server.xml",
    judge=_judge,
)
