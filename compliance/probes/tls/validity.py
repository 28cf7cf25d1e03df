"""The certificate is valid today, and for some time."""

from __future__ import annotations

from datetime import UTC, datetime

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.certificate import Certificate

_SOON = 30


def _judge(facts: Facts) -> Judgement:
    found, now = facts.rows("certificate", Certificate), datetime.now(UTC)
    shown = Text(
        f"{found.not_before:%Y-%m-%d} to {found.not_after:%Y-%m-%d}", f"{found.not_before:%Y-%m-%d} 至 {found.not_after:%Y-%m-%d}"
    )
    is_out = not found.not_before <= now <= found.not_after
    is_soon = (found.not_after - now).days < _SOON
    return judgement([shown] if is_out else [], [shown] if is_soon else [], [shown])


PROBE = Probe(
    id="tls.scan.validity",
    way="tls.scan",
    source="tls",
    items=("8.1.2.2.a", "8.1.4.7.a"),
    units=("6.2.1",),
    objects=("application", "middleware", "network_device", "security_device", "database"),
    reads=("certificate",),
    title=Text("Validity of the certificate", "证书有效期"),
    criterion=Text("the certificate is valid, and for 30 days more", "证书在有效期内且剩余不少于 30 天"),
    to_be_confirmed=True,
    reproduce="openssl s_client -connect HOST:PORT | openssl x509 -noout -dates",
    judge=_judge,
)
