"""Key and signature of the certificate are strong."""

from __future__ import annotations

from compliance.probes.contract import Judgement, Probe, Text, judgement
from compliance.probes.facts import Facts
from compliance.probes.formats.certificate import Certificate

_BITS = {"rsa": 2048, "ec": 224, "sm2": 256}
_BROKEN = ("md2", "md5", "sha1")


def _judge(facts: Facts) -> Judgement:
    found = facts.rows("certificate", Certificate)
    shown = f"{found.key} {found.bits or ''}".strip()
    bad = [shown] if (found.key in _BITS and found.bits < _BITS[found.key]) or found.key == "dsa" else []
    bad += [found.signature] if found.signature.startswith(_BROKEN) or found.signature.endswith("sha1") else []
    return judgement(bad, good=[shown, found.signature])


PROBE = Probe(
    id="tls.scan.key",
    way="tls.scan",
    source="tls",
    items=("8.1.2.2.a", "8.1.4.7.a"),
    units=("6.2.1",),
    objects=("application", "middleware", "network_device", "security_device", "database"),
    reads=("certificate",),
    title=Text("Key of the certificate", "证书密钥"),
    criterion=Text(
        "the key is RSA of 2048 bits, EC of 224 bits or SM2, or better, and the signature has no MD5 or SHA-1",
        "密钥不弱于 RSA 2048、EC 224 或 SM2，签名不用 MD5、SHA-1",
    ),
    to_be_confirmed=True,
    reproduce="openssl s_client -connect HOST:PORT | openssl x509 -noout -text",
    judge=_judge,
)
