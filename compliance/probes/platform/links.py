"""What others send and see is sealed."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.platform import Links


def _judge(facts: Facts) -> Judgement:
    endpoints = facts.rows("links", Links).endpoints
    open_ = [one for one in endpoints if one.remote and not one.sealed]
    bad = [
        Text(f"{one.name} on {one.host}:{one.port} is not sealed", f"{one.name}（{one.host}:{one.port}）未加密") for one in open_
    ]
    foreign = [one for one in endpoints if one.remote and one.sealed == "classic"]
    weak = [Text(f"{one.name}: foreign algorithms", f"{one.name}：非国密算法") for one in foreign]
    good = [
        Text(f"{one.name}: {one.sealed or 'this machine only'}", f"{one.name}：{one.sealed or '仅限本机'}") for one in endpoints
    ]
    return judgement(bad, weak, good)


PROBE = Probe(
    id="app.crypto.links",
    way="app.crypto",
    source="platform",
    items=("8.1.4.1.c", "8.1.4.7.a", "8.1.4.8.a"),
    objects=("application", "system_software"),
    reads=("links",),
    title=Text("Sealed links", "通信加密"),
    criterion=Text(
        "whatever is reachable from other machines is sealed: console by https, logs by TLS with SM or TLCP",
        "对外的入口均加密：控制台 https，日志用国密 TLS 或 TLCP",
    ),
    reproduce="[links], [ingest.syslog], [console] of the configuration; ss -ltn",
    judge=_judge,
)
