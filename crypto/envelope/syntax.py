"""Identifiers and the small structures that all messages of GB/T 35275-2017 share (clauses 6 and 7)."""

from __future__ import annotations

from dataclasses import dataclass

from crypto.ber import to_der
from crypto.certificates import Certificate
from crypto.certificates.strict import check_der
from crypto.der import NULL, OCTET_STRING, SEQUENCE, Reader, encode, encode_integer, encode_object_id, encode_sequence
from crypto.errors import EncodingError

DATA = "1.2.156.10197.6.1.4.2.1"
SIGNED = "1.2.156.10197.6.1.4.2.2"
ENVELOPED = "1.2.156.10197.6.1.4.2.3"
SIGNED_AND_ENVELOPED = "1.2.156.10197.6.1.4.2.4"
ENCRYPTED = "1.2.156.10197.6.1.4.2.5"
KEY_AGREEMENT = "1.2.156.10197.6.1.4.2.6"
KINDS = {
    DATA: "data",
    SIGNED: "signed data",
    ENVELOPED: "enveloped data",
    SIGNED_AND_ENVELOPED: "signed and enveloped data",
    ENCRYPTED: "encrypted data",
    KEY_AGREEMENT: "key agreement information",
}
"""Content types of GB/T 35275-2017 clause 6."""
SM3 = "1.2.156.10197.1.401"
SM2_SIGN = "1.2.156.10197.1.301.1"
SM2_ENCRYPT = "1.2.156.10197.1.301.3"

SET = 0x31
EXPLICIT_0, IMPLICIT_0, IMPLICIT_1 = 0xA0, 0xA0, 0xA1


def algorithm(identifier: str, parameters: bytes = b"\x05\x00") -> bytes:
    return encode_sequence(encode_object_id(identifier), parameters)


def read_algorithm(reader: Reader, allowed: tuple[str, ...], what: str) -> str:
    """One of ``allowed``, its parameters absent or NULL."""
    inner = reader.sequence()
    identifier = inner.object_id()
    if inner.peek() == NULL and inner.read(NULL):
        raise EncodingError(f"{what}: a NULL with content")
    inner.end()
    if identifier not in allowed:
        raise EncodingError(f"{what}: the algorithm {identifier} is not taken; expected {' or '.join(allowed)}")
    return identifier


def content_info(kind: str, content: bytes) -> bytes:
    return encode_sequence(encode_object_id(kind), encode(EXPLICIT_0, content))


def read_content_info(octets: bytes, kind: str, what: str, versions: tuple[int, ...] = (1,)) -> Reader:
    """The inside of the one message of this kind."""
    outer = Reader(octets, what)
    info = outer.sequence()
    outer.end()
    found = info.object_id()
    if found == KEY_AGREEMENT:
        raise EncodingError(
            f"{what}: this is key agreement information (clause 12), half of a key exchange between two running parties and no "
            "message; the exchange itself is crypto.sm2.exchange"
        )
    if found != kind:
        told = KINDS.get(found, "none of GB/T 35275")
        raise EncodingError(f"{what}: this is {told} ({found}), not {KINDS[kind]} ({kind})")
    inner = info.nested(EXPLICIT_0)
    info.end()
    body = inner.sequence()
    inner.end()
    if body.integer() not in versions:
        raise EncodingError(f"{what}: unknown version")
    return body


def as_der(octets: bytes, what: str, ber: bool) -> bytes:
    """The message in DER. With ``ber`` another program's BER is taken, too (crypto.ber says what of it). Raises EncodingError."""
    try:
        check_der(octets, what)
        return octets
    except EncodingError:
        if not ber:
            raise
    der = to_der(octets, what)
    check_der(der, what)
    return der


@dataclass(frozen=True)
class CertificateId:
    """IssuerAndSerialNumber: the certificate of a signer or recipient."""

    issuer: bytes
    serial: int

    @classmethod
    def of(cls, certificate: Certificate) -> CertificateId:
        return cls(certificate.issuer_der, certificate.serial)

    @classmethod
    def read(cls, reader: Reader) -> CertificateId:
        inner = reader.sequence()
        issuer = encode(SEQUENCE, inner.read(SEQUENCE))
        found = cls(issuer, inner.integer())
        inner.end()
        return found

    def encoded(self) -> bytes:
        return encode_sequence(self.issuer, encode_integer(self.serial))


def values(reader: Reader, tag: int, what: str) -> list[bytes]:
    """Each whole value inside a set or sequence with this tag."""
    content = reader.read(tag)
    inner, found = Reader(content, what), []
    while (kind := inner.peek()) is not None:
        found.append(encode(kind, inner.read(kind)))
    return found


def ordered(tag: int, parts: list[bytes]) -> bytes:
    """A set in DER order (X.690 clause 11.6)."""
    return encode(tag, b"".join(sorted(parts)))


def octet_string(reader: Reader) -> bytes:
    return reader.read(OCTET_STRING)
