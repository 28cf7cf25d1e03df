"""The certificate is for this host."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.certificate import Certificate


def _judge(facts: Facts) -> Judgement:
    found, host = facts.rows("certificate", Certificate), facts.text("host").lower().rstrip(".")
    if any(_is_for(name.lower().rstrip("."), host) for name in found.names):
        return judgement(good=found.names)
    return judgement(
        [Text(f"{host} is not among {', '.join(found.names) or '-'}", f"{host} 不在证书名称之内：{'、'.join(found.names) or '-'}")]
    )


def _is_for(name: str, host: str) -> bool:
    if not name.startswith("*."):
        return name == host
    first, dot, rest = host.partition(".")
    return bool(first and dot) and rest == name[2:]


PROBE = Probe(
    id="tls.scan.names",
    way="tls.scan",
    source="tls",
    items=("8.1.2.2.a", "8.1.4.7.a"),
    units=("6.2.1",),
    objects=("application", "middleware", "network_device", "security_device", "database"),
    reads=("certificate", "host"),
    title=Text("Names of the certificate", "证书名称"),
    criterion=Text("the certificate names the host that was asked", "证书名称包含被访问的主机"),
    reproduce="openssl s_client -connect HOST:PORT | openssl x509 -noout -ext subjectAltName",
    judge=_judge,
)
