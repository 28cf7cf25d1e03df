"""What a certificate of another system is worth as evidence for GB/T 39786: its key, its signature, its time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from asn1crypto import x509

from crypto.channel.identity import public_key_kind, read_identity

_SIGNATURES = {
    "1.2.156.10197.1.501": "SM2 with SM3",
    "1.2.840.113549.1.1.5": "RSA with SHA-1",
    "1.2.840.113549.1.1.10": "RSA-PSS",
    "1.2.840.113549.1.1.11": "RSA with SHA-256",
    "1.2.840.113549.1.1.12": "RSA with SHA-384",
    "1.2.840.113549.1.1.13": "RSA with SHA-512",
    "1.2.840.10045.4.3.2": "ECDSA with SHA-256",
    "1.2.840.10045.4.3.3": "ECDSA with SHA-384",
    "1.2.840.10045.4.3.4": "ECDSA with SHA-512",
    "1.3.101.112": "Ed25519",
}
_DOMESTIC_SIGNATURE = "1.2.156.10197.1.501"


class Appraisal(NamedTuple):
    """name, serial, fingerprint (SM3), key  as crypto.channel.identity tells them; ``issuer`` for people

    signature  algorithm of the issuer's signature, its identifier where it has no name here
    domestic   SM2 key and SM2-with-SM3 signature
    problem    ``expired``, ``not yet valid`` or ""
    """

    name: str
    issuer: str
    serial: str
    fingerprint: str
    key: str
    signature: str
    not_before: datetime
    not_after: datetime
    domestic: bool
    problem: str


def appraise(der: bytes, at: datetime | None = None) -> Appraisal:
    """``at``: the moment that counts, now by default. Raises ValueError where the bytes are no certificate."""
    identity = read_identity(der)
    moment = at or datetime.now(UTC)
    try:
        certificate = x509.Certificate.load(der, strict=True)
        algorithm = certificate["signature_algorithm"]["algorithm"].dotted
        begins, ends = certificate.not_valid_before, certificate.not_valid_after
        issuer = certificate.issuer.human_friendly
        key = public_key_kind(certificate)
    except (TypeError, KeyError, IndexError, AttributeError, OverflowError) as error:
        raise ValueError(f"no certificate: {error}") from error
    return Appraisal(
        name=identity.name,
        issuer=issuer,
        serial=identity.serial,
        fingerprint=identity.fingerprint,
        key=key,
        signature=_SIGNATURES.get(algorithm, algorithm),
        not_before=begins,
        not_after=ends,
        domestic=key == "SM2" and algorithm == _DOMESTIC_SIGNATURE,
        problem="expired" if moment > ends else "not yet valid" if moment < begins else "",
    )
