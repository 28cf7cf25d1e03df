"""No version of TLS that is broken is offered."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable

_BAD = ("SSLv3", "TLSv1.0", "TLSv1.1")


def _judge(facts: Facts) -> Judgement:
    offered = [version for version, suite in facts.rows("offers", dict[str, str | None]).items() if suite]
    if not offered:
        raise Unreadable("the endpoint agreed to no version of TLS or TLCP", "端点未同意任何 TLS 或 TLCP 版本")
    return judgement([version for version in offered if version in _BAD], good=offered)


PROBE = Probe(
    id="tls.scan.versions",
    way="tls.scan",
    source="tls",
    items=("8.1.2.2.a", "8.1.2.2.b", "8.1.4.1.c", "8.1.4.7.a", "8.1.4.8.a"),
    units=("6.2.2", "6.2.3"),
    objects=("application", "middleware", "network_device", "security_device", "database"),
    reads=("offers",),
    title=Text("Versions of TLS", "TLS 版本"),
    criterion=Text("only TLS 1.2, TLS 1.3 or TLCP is offered", "只提供 TLS 1.2、TLS 1.3 或 TLCP"),
    to_be_confirmed=True,
    reproduce="openssl s_client -tls1_1 -connect HOST:PORT",
    judge=_judge,
)
