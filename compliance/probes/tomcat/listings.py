"""Folders are not listed, and nobody writes by the default servlet."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.tomcat import Node, tree


def _judge(facts: Facts) -> Judgement:
    bad = [
        f"{servlet.said('servlet-name')}: {one.said('param-name')} = {one.said('param-value')}"
        for root in tree(facts, "web")
        for servlet in root.all("servlet")
        for one in servlet.all("init-param")
        if _is_open(one)
    ]
    return judgement(bad)


def _is_open(parameter: Node) -> bool:
    wanted = {"listings": "true", "readonly": "false"}.get(parameter.said("param-name"))
    return wanted is not None and parameter.said("param-value").strip().lower() == wanted


PROBE = Probe(
    id="tomcat.rbac.listings",
    way="app.rbac",
    source="tomcat",
    items=("8.1.4.2.e", "8.1.4.4.b"),
    objects=("middleware",),
    reads=("web",),
    title=Text("Listings and writing", "目录列表与写入"),
    criterion=Text(
        "the default servlet lists no folders and takes no PUT and DELETE", "默认 Servlet 不列目录，且只读（不接受 PUT、DELETE）"
    ),
    reproduce="grep -A3 -e listings -e readonly conf/web.xml",
    judge=_judge,
)
