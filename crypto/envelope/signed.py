"""SignedData (GB/T 35275-2017 clause 8): content, or only its signatures, by one or several SM2 keys.

With signed attributes (the default: content type, SM3 of the content, time) the signature is over their DER set; without them over
the content octets themselves, Z of the signer in front as always (GM/T 0009).
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from crypto.certificates import Certificate, CertificateError
from crypto.certificates.strict import check_der
from crypto.der import Reader, encode, encode_integer, encode_object_id, encode_octets, encode_sequence
from crypto.envelope.syntax import (
    DATA,
    EXPLICIT_0,
    IMPLICIT_0,
    IMPLICIT_1,
    SET,
    SIGNED,
    SM2_SIGN,
    SM3,
    CertificateId,
    algorithm,
    as_der,
    content_info,
    octet_string,
    ordered,
    read_algorithm,
    read_content_info,
    values,
)
from crypto.errors import CryptoError, EncodingError, InvalidKeyError
from crypto.sm2 import PrivateKey
from crypto.sm3 import sm3

CONTENT_TYPE, MESSAGE_DIGEST, SIGNING_TIME = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4", "1.2.840.113549.1.9.5"
_SIGN_OIDS = (SM2_SIGN, "1.2.156.10197.1.501", "1.2.156.10197.1.301")
_DIGEST_OIDS = (SM3, "1.2.156.10197.1.401.1")
_UTC_TIME = 0x17
_WHAT = "signed message"


@dataclass(frozen=True)
class Signer:
    certificate: Certificate
    key: PrivateKey

    def __post_init__(self) -> None:
        if self.certificate.public_key != self.key.public:
            raise InvalidKeyError("the key does not belong to the certificate of the signer")


@dataclass(frozen=True)
class Verified:
    """Only made where every signature is good. ``signed_at``: what each signer says, None where he does not."""

    content: bytes
    signers: tuple[Certificate, ...]
    signed_at: tuple[datetime | None, ...]


@dataclass(frozen=True)
class SignerInfo:
    certificate: CertificateId
    signature: bytes
    attributes: bytes = b""
    """The DER set that was signed; empty where the content itself was."""
    by_kind: dict[str, bytes] = field(default_factory=dict)


@dataclass(frozen=True)
class SignedMessage:
    """What the message says; nothing of it is believed before :meth:`verify`."""

    content: bytes | None
    certificates: tuple[Certificate, ...]
    signers: tuple[SignerInfo, ...]

    def verify(self, detached: bytes | None = None, known: Sequence[Certificate] = ()) -> Verified:
        """All signatures, over ``detached`` where the message does not carry its content. ``known``: further certificates."""
        if (self.content is None) == (detached is None):
            raise CertificateError(
                "the message does not carry its content: give it" if detached is None else "the message carries its own content"
            )
        content = self.content if detached is None else detached
        assert content is not None
        return check_signers(content, self.signers, (*self.certificates, *known))


def sign_data(
    content: bytes, signers: Sequence[Signer], detached: bool = False, attributes: bool = True, at: datetime | None = None
) -> bytes:
    """SignedData in DER, with the signers' certificates."""
    if not signers:
        raise CryptoError("a signed message has at least one signer")
    inner = encode_sequence(encode_object_id(DATA), b"" if detached else encode(EXPLICIT_0, encode_octets(content)))
    return content_info(
        SIGNED,
        encode_sequence(
            encode_integer(1),
            ordered(SET, [algorithm(SM3)]),
            inner,
            *signer_fields(content, signers, attributes, at or datetime.now(UTC)),
        ),
    )


def read_signed(octets: bytes, *, ber: bool = True) -> SignedMessage:
    """Raises EncodingError saying where. ``ber`` False: only DER is taken, so that a message has one encoding."""
    body = read_content_info(as_der(octets, _WHAT, ber), SIGNED, _WHAT)
    read_digests(body, _WHAT)
    inner = body.sequence()
    if inner.object_id() != DATA:
        raise EncodingError(f"{_WHAT}: the content is not data")
    content = None
    if inner.peek() == EXPLICIT_0:
        wrapped = inner.nested(EXPLICIT_0)
        content = octet_string(wrapped)
        wrapped.end()
    inner.end()
    certificates, signers = read_signers(body, _WHAT, ber)
    return SignedMessage(content, certificates, signers)


def signer_fields(content: bytes, signers: Sequence[Signer], attributes: bool, at: datetime) -> tuple[bytes, bytes]:
    """The fields ``certificates`` and ``signerInfos``."""
    certificates = sorted({signer.certificate.der for signer in signers})
    infos = [_sign(content, signer, _attributes(content, at) if attributes else []) for signer in signers]
    return encode(IMPLICIT_0, b"".join(certificates)), ordered(SET, infos)


def read_digests(body: Reader, what: str) -> None:
    for one in values(body, SET, what):
        read_algorithm(Reader(one, what), _DIGEST_OIDS, what)


def read_signers(body: Reader, what: str, ber: bool = False) -> tuple[tuple[Certificate, ...], tuple[SignerInfo, ...]]:
    """The last fields of a message: certificates, revocation lists (passed over), signers."""
    certificates = []
    if body.peek() == IMPLICIT_0:
        certificates = [Certificate(der) for der in values(body, IMPLICIT_0, what)]
    if body.peek() == IMPLICIT_1:
        body.read(IMPLICIT_1)
    signers = [_read_signer(Reader(one, what), what, ber) for one in values(body, SET, what)]
    body.end()
    if not signers:
        raise EncodingError(f"{what}: nobody signed it")
    return tuple(certificates), tuple(signers)


def check_signers(content: bytes, signers: Sequence[SignerInfo], certificates: Sequence[Certificate]) -> Verified:
    """Every signature must be good. Raises CertificateError."""
    found, times = [], []
    for signer in signers:
        certificate = next((one for one in certificates if CertificateId.of(one) == signer.certificate), None)
        if certificate is None:
            raise CertificateError(f"the certificate of a signer is missing (serial {signer.certificate.serial:x})")
        if certificate.usage is not None and not certificate.usage & {"digital_signature", "non_repudiation"}:
            raise CertificateError("the certificate is not for signatures", certificate.subject)
        _check_attributes(content, signer, certificate)
        if not certificate.public_key.verify(signer.attributes or content, signer.signature):
            raise CertificateError("bad signature: the content or the signature was changed", certificate.subject)
        found.append(certificate)
        times.append(_signing_time(signer))
    return Verified(content, tuple(found), tuple(times))


def _sign(content: bytes, signer: Signer, attributes: list[bytes]) -> bytes:
    signed = ordered(SET, attributes) if attributes else content
    return encode_sequence(
        encode_integer(1),
        CertificateId.of(signer.certificate).encoded(),
        algorithm(SM3),
        ordered(IMPLICIT_0, attributes) if attributes else b"",
        algorithm(SM2_SIGN),
        encode_octets(signer.key.sign(signed)),
    )


def _attributes(content: bytes, at: datetime) -> list[bytes]:
    moment = at.astimezone(UTC)
    if moment.year >= 2050:
        raise CryptoError("signing times from 2050 on are not written")
    values_of = {
        CONTENT_TYPE: encode_object_id(DATA),
        MESSAGE_DIGEST: encode_octets(sm3(content)),
        SIGNING_TIME: encode(_UTC_TIME, moment.strftime("%y%m%d%H%M%SZ").encode()),
    }
    return [encode_sequence(encode_object_id(kind), encode(SET, value)) for kind, value in values_of.items()]


def _read_signer(reader: Reader, what: str, ber: bool) -> SignerInfo:
    body = reader.sequence()
    if body.integer() != 1:
        raise EncodingError(f"{what}: unknown version of a signer")
    certificate = CertificateId.read(body)
    read_algorithm(body, _DIGEST_OIDS, what)
    attributes, by_kind = b"", {}
    if body.peek() == IMPLICIT_0:
        parts = values(body, IMPLICIT_0, what)
        attributes = ordered(SET, parts) if ber else encode(SET, b"".join(parts))  # what was signed is their DER
        check_der(attributes, f"{what}, signed attributes")  # as a set: in order
        by_kind = _by_kind(parts, what)
    read_algorithm(body, _SIGN_OIDS, what)
    signature = octet_string(body)
    if body.peek() == IMPLICIT_1:
        body.read(IMPLICIT_1)
    body.end()
    return SignerInfo(certificate, signature, attributes, by_kind)


def _by_kind(parts: list[bytes], what: str) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for part in parts:
        attribute = Reader(part, what).sequence()
        kind, content = attribute.object_id(), attribute.read(SET)
        attribute.end()
        if kind in found:
            raise EncodingError(f"{what}: the attribute {kind} stands there twice")
        found[kind] = content
    return found


def _check_attributes(content: bytes, signer: SignerInfo, certificate: Certificate) -> None:
    """With attributes the digest of the content must be among them, and the kind of the content (clause 8.2)."""
    if not signer.attributes:
        return
    digest = encode_octets(sm3(content))
    if not hmac.compare_digest(signer.by_kind.get(MESSAGE_DIGEST, b""), digest):
        raise CertificateError("the content is not what was signed", certificate.subject)
    if signer.by_kind.get(CONTENT_TYPE) != encode_object_id(DATA):
        raise CertificateError("the kind of the content is not what was signed", certificate.subject)


def _signing_time(signer: SignerInfo) -> datetime | None:
    content = signer.by_kind.get(SIGNING_TIME, b"")
    if content[:1] != bytes((_UTC_TIME,)):
        return None
    try:
        moment = datetime.strptime(content[2:].decode("ascii"), "%y%m%d%H%M%SZ")
    except ValueError as error:
        raise EncodingError(f"{_WHAT}: a signing time cannot be read") from error
    return moment.replace(tzinfo=UTC)
