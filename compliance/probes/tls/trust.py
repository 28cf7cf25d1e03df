"""Somebody who is trusted vouches for the certificate."""

from __future__ import annotations

import msgspec

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts


class _Trust(msgspec.Struct, frozen=True):
    is_trusted: bool
    why: str


def _judge(facts: Facts) -> Judgement:
    found = facts.rows("trust", _Trust)
    return judgement([] if found.is_trusted else [found.why or Text("not trusted", "不受信任")])


PROBE = Probe(
    id="tls.scan.trust",
    way="tls.scan",
    source="tls",
    items=("8.1.2.2.a", "8.1.4.7.a"),
    units=("6.2.1",),
    objects=("application", "middleware", "network_device", "security_device", "database"),
    reads=("trust",),
    title=Text("Chain of the certificate", "证书链"),
    criterion=Text("the chain ends at an authority that this platform was told to trust", "证书链终止于平台所信任的机构"),
    reproduce="openssl s_client -verify_return_error -connect HOST:PORT",
    judge=_judge,
)
