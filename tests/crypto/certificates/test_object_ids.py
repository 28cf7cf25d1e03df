"""Object identifiers of absurd length anywhere in a certificate: refused at once, and not turned into decimal digits first."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from crypto.certificates import make_request, make_root, name, read_certificates
from crypto.certificates.request import Request
from crypto.channel.appraise import appraise
from crypto.channel.identity import read_identity
from crypto.der import OCTET_STRING, OID, SEQUENCE, Reader, encode, encode_object_id, encode_octets, encode_sequence
from crypto.errors import EncodingError
from crypto.sm2 import PrivateKey

LONG = encode(OID, b"\x2a" + b"\xff" * 300_000 + b"\x7f")
DER = make_root(name("City root"), PrivateKey.generate()).certificate.der
Parts = list[tuple[int, bytes]]


def _parts(octets: bytes) -> Parts:
    reader, found = Reader(octets, "x"), []
    while (tag := reader.peek()) is not None:
        found.append((tag, reader.read(tag)))
    return found


def _joined(parts: Parts) -> bytes:
    return b"".join(encode(tag, content) for tag, content in parts)


def _changed(at: int, tag: int, content: bytes) -> bytes:
    """A certificate with another field in its body (RFC 5280 clause 4.1)."""
    whole = _parts(Reader(DER, "x").read(SEQUENCE))
    body = _parts(whole[0][1])
    body[at] = (tag, content)
    return encode(SEQUENCE, _joined([(SEQUENCE, _joined(body)), *whole[1:]]))


def _extension(identifier: bytes, value: bytes) -> bytes:
    return encode_sequence(encode_sequence(identifier, encode(OCTET_STRING, value)))


IN_THE_OPEN = {
    "signature algorithm": _changed(2, SEQUENCE, LONG),
    "subject": _changed(5, SEQUENCE, encode(0x31, encode_sequence(LONG, encode(0x0C, b"x")))),
    "key algorithm": _changed(6, SEQUENCE, encode_sequence(LONG) + encode(3, b"\0\4")),
    "extension": _changed(7, 0xA3, _extension(LONG, b"x")),
}
INSIDE = {
    "usage in an extension": _changed(7, 0xA3, _extension(encode_object_id("2.5.29.37"), encode_sequence(LONG))),
    "unknown extension": _changed(7, 0xA3, _extension(encode_object_id("1.2.3.4.5"), LONG)),
}


@pytest.mark.parametrize("der", [*IN_THE_OPEN.values(), *INSIDE.values()], ids=[*IN_THE_OPEN, *INSIDE])
def test_certificates(der: bytes) -> None:
    started = time.monotonic()
    with pytest.raises(EncodingError, match="object identifier is longer"):
        read_certificates(der)
    assert time.monotonic() - started < 1


@pytest.mark.parametrize("read", [appraise, read_identity])
@pytest.mark.parametrize("der", IN_THE_OPEN.values(), ids=IN_THE_OPEN)
def test_certificates_of_others(read: Callable[[bytes], object], der: bytes) -> None:
    """What a server of others shows; insides of extensions are not turned into words there."""
    started = time.monotonic()
    with pytest.raises(ValueError, match="object identifier is longer"):
        read(der)
    assert time.monotonic() - started < 1


def test_requests() -> None:
    der = make_request(PrivateKey.generate(), name("q"), ["a.example"]).der
    whole = _parts(Reader(der, "x").read(SEQUENCE))
    info = _parts(whole[0][1])
    extensions = encode_sequence(encode_sequence(encode_object_id("2.5.29.37"), encode_octets(encode_sequence(LONG))))
    info[3] = (0xA0, encode_sequence(encode_object_id("1.2.840.113549.1.9.14"), encode(0x31, extensions)))
    started = time.monotonic()
    with pytest.raises(EncodingError, match="object identifier is longer"):
        Request(encode(SEQUENCE, _joined([(SEQUENCE, _joined(info)), *whole[1:]])))
    assert time.monotonic() - started < 1
