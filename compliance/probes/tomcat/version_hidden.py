"""Tomcat does not say which version it is."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.tomcat import connectors, server


def _judge(facts: Facts) -> Judgement:
    valves = [one for one in server(facts).all("Valve") if one.get("className").endswith(".ErrorReportValve")]
    told = [one.shown() for one in connectors(facts) if one.get("xpoweredBy").lower() == "true"]
    if not any(one.get("showServerInfo").lower() == "false" for one in valves):
        return judgement(told, [Text("pages of errors show the version", "错误页显示版本")])
    weak = [one.shown() for one in valves if one.get("showReport").lower() != "false"]
    return judgement(told, weak, [one.shown() for one in valves])


PROBE = Probe(
    id="tomcat.services.version",
    way="host.services",
    source="tomcat",
    items=("8.1.4.4.b",),
    objects=("middleware",),
    reads=("server",),
    title=Text("Version is hidden", "隐藏版本"),
    criterion=Text(
        "pages of errors show neither version nor report (ErrorReportValve)", "错误页不显示版本与报告（ErrorReportValve）"
    ),
    to_be_confirmed=True,
    reproduce="curl -s http://HOST:8080/nothing; grep ErrorReportValve conf/server.xml",
    judge=_judge,
)
