"""Remote connections are sealed."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement, not_applicable
from compliance.probes.facts import Facts, Unreadable
from compliance.probes.formats.keyed import number
from compliance.probes.formats.redis import directives, is_local, one


def _judge(facts: Facts) -> Judgement:
    found = directives(facts)
    if is_local(found):
        return not_applicable(Text("it listens on the host itself only", "仅在本机监听"))
    tls, plain = number(one(found, "tls-port", "0")), number(one(found, "port", "6379"))
    if tls is None or plain is None:
        raise Unreadable("a port is no number", "端口不是数字")
    shown = f"port {plain}, tls-port {tls}"
    versions = one(found, "tls-protocols", "TLSv1.2 TLSv1.3").replace('"', "").split()
    old = [f"tls-protocols {' '.join(versions)}"] if {"TLSv1", "TLSv1.1"} & set(versions) else []
    return judgement([*([] if tls else [shown]), *old], [shown] if tls and plain else [], [shown])


PROBE = Probe(
    id="redis.encryption.transport",
    way="tls.scan",
    source="redis",
    items=("8.1.4.1.c", "8.1.4.7.a", "8.1.4.8.a"),
    units=("6.4.4", "6.4.6"),
    objects=("database",),
    reads=("redis",),
    title=Text("Sealed connections", "连接加密"),
    criterion=Text("only the port with TLS 1.2 or later is open", "只开放 TLS 1.2 及以上的端口"),
    reproduce="grep -e ^port -e ^tls- redis.conf",
    judge=_judge,
)
