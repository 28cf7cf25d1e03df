"""No cipher suite that is broken is offered."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable


def _judge(facts: Facts) -> Judgement:
    if not any(facts.rows("offers", dict[str, str | None]).values()):
        raise Unreadable("the endpoint agreed to no version of TLS or TLCP", "端点未同意任何 TLS 或 TLCP 版本")
    found = facts.rows("suites", dict[str, list[str]])
    only_old = found["old"] if not found["strong"] and found["old"] else []
    return judgement(found["broken"], only_old, found["strong"])


PROBE = Probe(
    id="tls.scan.suites",
    way="tls.scan",
    source="tls",
    items=("8.1.2.2.b", "8.1.4.8.a"),
    units=("6.2.3", "6.4.4"),
    objects=("application", "middleware", "network_device", "security_device", "database"),
    reads=("offers", "suites"),
    title=Text("Cipher suites", "密码套件"),
    criterion=Text(
        "no suite with NULL, anonymous, export, RC4, DES or 3DES is offered",
        "不提供 NULL、匿名、出口级、RC4、DES 与 3DES 套件",
    ),
    to_be_confirmed=True,
    reproduce="nmap --script ssl-enum-ciphers -p PORT HOST",
    judge=_judge,
)
