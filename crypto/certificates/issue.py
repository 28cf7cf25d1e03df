"""Issue certificates: a root of one's own, an authority below it, and those of machines and people (RFC 5280, GM/T 0015).

Serial numbers have 128 random bits. Nothing outlives its issuer, and an authority that may not have another below makes none.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from asn1crypto import keys, x509

from crypto.certificates.certificate import SM2_WITH_SM3, Certificate
from crypto.certificates.errors import CertificateError
from crypto.certificates.names import general_names
from crypto.certificates.profiles import ROOT, Profile
from crypto.der import encode_bits, encode_object_id, encode_sequence
from crypto.errors import InvalidKeyError
from crypto.sm2 import PrivateKey, PublicKey

BACKDATED = timedelta(minutes=5)
"""So much earlier a certificate begins, for clocks that are slow."""


@dataclass(frozen=True)
class Authority:
    """A certificate that may issue, and its key."""

    certificate: Certificate
    key: PrivateKey

    def __post_init__(self) -> None:
        if self.certificate.public_key != self.key.public:
            raise InvalidKeyError("the key does not belong to the certificate of the authority")


def make_root(subject: Any, key: PrivateKey, days: int = 7300, profile: Profile = ROOT, at: datetime | None = None) -> Authority:
    """A self-signed authority."""
    start = _start(at)
    body = _body(subject, subject, key.public, key.public, profile, (start, start + timedelta(days=days)), (), ())
    return Authority(Certificate(signed(body.dump(), key)), key)


def issue(
    authority: Authority,
    subject: Any,
    public: PublicKey,
    profile: Profile,
    days: int,
    alternatives: Sequence[str] = (),
    crl_urls: Sequence[str] = (),
    at: datetime | None = None,
) -> Certificate:
    """A certificate of ``public``, from now (``at``, UTC) for ``days``. Raises CertificateError where the authority may not."""
    start = _start(at)
    end = start + timedelta(days=days)
    issuer = authority.certificate
    if days < 1:
        raise CertificateError("a certificate is valid for one day or more")
    if not issuer.is_authority or "key_cert_sign" not in (issuer.usage or ()):
        raise CertificateError("it may not issue certificates", issuer.subject)
    if profile.authority and issuer.path_length is not None and (profile.path_length or 0) >= issuer.path_length:
        raise CertificateError("it may not have such an authority below it (path length)", issuer.subject)
    if end > issuer.not_after or start < issuer.not_before:
        raise CertificateError(f"it is itself valid only from {issuer.not_before} to {issuer.not_after}", issuer.subject)
    body = _body(subject, _name(issuer), public, authority.key.public, profile, (start, end), alternatives, crl_urls)
    return Certificate(signed(body.dump(), authority.key))


def signed(body: bytes, key: PrivateKey) -> bytes:
    """SIGNED{body}: body, algorithm, signature (X.509 clause 6.2), under the default identifier."""
    return encode_sequence(body, encode_sequence(encode_object_id(SM2_WITH_SM3)), encode_bits(key.sign(body)))


def key_identifier(public: PublicKey) -> bytes:
    """RFC 7093 method 1 kind: the first 160 bits of a digest of the point. An identifier only, nothing is secured by it."""
    return hashlib.sha256(public.to_bytes()).digest()[:20]


def extension(kind: str, critical: bool, value: Any) -> dict[str, Any]:
    return {"extn_id": kind, "critical": critical, "extn_value": value}


def _body(
    subject: Any,
    issuer: Any,
    public: PublicKey,
    issuer_key: PublicKey,
    profile: Profile,
    validity: tuple[datetime, datetime],
    alternatives: Sequence[str],
    crl_urls: Sequence[str],
) -> Any:
    constraints: dict[str, Any] = {"ca": profile.authority}
    if profile.path_length is not None:
        constraints["path_len_constraint"] = profile.path_length
    extensions = [
        extension("basic_constraints", True, constraints),
        extension("key_usage", True, x509.KeyUsage(set(profile.usage))),
        extension("key_identifier", False, key_identifier(public)),
        extension("authority_key_identifier", False, {"key_identifier": key_identifier(issuer_key)}),
    ]
    if profile.extended:
        extensions.append(extension("extended_key_usage", False, list(profile.extended)))
    if alternatives:
        extensions.append(extension("subject_alt_name", False, general_names(alternatives)))
    if crl_urls:
        points = [{"distribution_point": x509.DistributionPointName("full_name", general_names([url]))} for url in crl_urls]
        extensions.append(extension("crl_distribution_points", False, points))
    return x509.TbsCertificate(
        {
            "version": "v3",
            "serial_number": secrets.randbelow((1 << 128) - 1) + 1,
            "signature": {"algorithm": SM2_WITH_SM3},
            "issuer": issuer,
            "validity": {"not_before": time(validity[0]), "not_after": time(validity[1])},
            "subject": subject,
            "subject_public_key_info": keys.PublicKeyInfo.load(public.to_der()),
            "extensions": extensions,
        }
    )


def time(moment: datetime) -> Any:
    """UTCTime until 2049, GeneralizedTime from then on (RFC 5280 clause 4.1.2.5)."""
    return x509.Time({"utc_time": moment} if moment.year < 2050 else {"general_time": moment})


def _name(certificate: Certificate) -> Any:
    return x509.Name.load(certificate.subject_der)


def _start(at: datetime | None) -> datetime:
    if at is not None:
        return at.astimezone(UTC).replace(microsecond=0)
    return datetime.now(UTC).replace(microsecond=0) - BACKDATED
