"""Connections are sealed."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement, not_applicable
from compliance.probes.facts import Facts
from compliance.probes.formats.tomcat import Node, connectors, is_ajp, is_loopback, is_tls

_OLD = ("SSLv2", "SSLv3", "TLSv1", "TLSv1.0", "TLSv1.1")


def _judge(facts: Facts) -> Judgement:
    found = [one for one in connectors(facts) if not is_ajp(one) and not is_loopback(one)]
    if not found:
        return not_applicable(Text("no connector is for others than the host itself", "没有对外的 HTTP 连接器"))
    bad = [one.shown() for one in found if is_tls(one) and _has_old(one)]
    plain = [one.shown() for one in found if not is_tls(one)]
    if len(plain) == len(found):
        return judgement(plain)
    return judgement(bad, plain, [one.shown() for one in found])


def _has_old(connector: Node) -> bool:
    texts = [connector.get("sslEnabledProtocols"), connector.get("sslProtocol"), connector.get("SSLProtocol")]
    texts += [config.get("protocols") for config in connector.all("SSLHostConfig")]
    words = [word for text in texts for word in text.replace("+", ",").replace(" ", ",").split(",")]
    return any(word in _OLD for word in words)


PROBE = Probe(
    id="tomcat.tls.transport",
    way="tls.scan",
    source="tomcat",
    items=("8.1.4.1.c", "8.1.4.7.a", "8.1.4.8.a"),
    units=("6.4.4", "6.4.6"),
    objects=("middleware",),
    reads=("server",),
    title=Text("Sealed connections", "传输加密"),
    criterion=Text(
        "connectors use TLS 1.2 or later; one without TLS (behind a proxy) is partly",
        "连接器使用 TLS 1.2 及以上；存在未加密连接器（代理之后）为部分符合",
    ),
    to_be_confirmed=True,
    reproduce="grep -A8 '<Connector' conf/server.xml",
    judge=_judge,
)
