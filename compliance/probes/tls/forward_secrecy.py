"""What is recorded today cannot be read with a key that is stolen later."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts, Unreadable


def _judge(facts: Facts) -> Judgement:
    offers = facts.rows("offers", dict[str, str | None])
    if not any(offers.values()):
        raise Unreadable("the endpoint agreed to no version of TLS or TLCP", "端点未同意任何 TLS 或 TLCP 版本")
    found = facts.rows("suites", dict[str, list[str]])
    others = found["strong"] + found["old"] + ([offers["TLSv1.3"]] if offers.get("TLSv1.3") else [])
    if found["static"] and not others:
        return judgement(found["static"])
    return judgement(weak=found["static"], good=[one for one in others if one])


PROBE = Probe(
    id="tls.scan.forward_secrecy",
    way="tls.scan",
    source="tls",
    items=("8.1.2.2.b", "8.1.4.8.a"),
    units=("6.2.3",),
    objects=("application", "middleware", "network_device", "security_device", "database"),
    reads=("offers", "suites"),
    title=Text("Forward secrecy", "前向保密"),
    criterion=Text(
        "keys are agreed for each connection; suites with a static RSA key are partly",
        "每次连接协商临时密钥；仍有静态 RSA 套件为部分符合",
    ),
    to_be_confirmed=True,
    reproduce="openssl s_client -tls1_2 -cipher kRSA -connect HOST:PORT",
    judge=_judge,
)
