"""SM2 ciphertexts as octets: GM/T 0009-2023 SM2Cipher (DER), C1C3C2 (GB/T 32918.4-2016), C1C2C3 (drafts before 2012).

C1 is a point ``04 x y`` (compressed is read as well); the ``-bare`` forms leave the 04 away, as the Python ``gmssl`` and sm-
crypto write them.
"""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

from crypto.der import OCTET_STRING, Reader, encode_integer, encode_octets, encode_sequence
from crypto.errors import CryptoError, EncodingError, InvalidKeyError
from crypto.sm2.curve import SIZE, coordinates, decode_point

CiphertextEncoding = Literal["der", "c1c3c2", "c1c2c3", "c1c3c2-bare", "c1c2c3-bare"]
_C3 = 32


class Ciphertext(NamedTuple):
    """c1: point ``04 x y`` on the curve; c2: the plaintext under the key stream; c3: SM3 check value."""

    c1: bytes
    c2: bytes
    c3: bytes


def decode_ciphertext(octets: bytes, encoding: CiphertextEncoding) -> Ciphertext:
    """Raises EncodingError for anything that is not exactly of this form, C1 off the curve included."""
    check_encoding(encoding)
    point, c2, c3 = _from_der(octets) if encoding == "der" else _from_raw(octets, encoding)
    if not c2 or len(c3) != _C3:
        raise EncodingError("an SM2 ciphertext has at least one byte of C2 and 32 bytes of C3")
    try:
        return Ciphertext(decode_point(point), c2, c3)
    except InvalidKeyError as error:
        raise EncodingError(f"C1 of the SM2 ciphertext: {error}") from error


def encode_ciphertext(parts: Ciphertext, encoding: CiphertextEncoding) -> bytes:
    check_encoding(encoding)
    if encoding == "der":
        x, y = coordinates(parts.c1)
        return encode_sequence(encode_integer(x), encode_integer(y), encode_octets(parts.c3), encode_octets(parts.c2))
    c1 = parts.c1[1:] if encoding.endswith("-bare") else parts.c1
    return c1 + (parts.c3 + parts.c2 if encoding.startswith("c1c3c2") else parts.c2 + parts.c3)


def check_encoding(encoding: CiphertextEncoding) -> None:
    if encoding not in get_args(CiphertextEncoding):
        raise CryptoError(f"unknown ciphertext encoding {encoding!r}; there are {', '.join(get_args(CiphertextEncoding))}")


def _from_der(octets: bytes) -> tuple[bytes, bytes, bytes]:
    outer = Reader(octets, "SM2 ciphertext")
    inner = outer.sequence()
    x, y = inner.integer(), inner.integer()
    c3, c2 = inner.read(OCTET_STRING), inner.read(OCTET_STRING)
    inner.end()
    outer.end()
    if max(x, y).bit_length() > 8 * SIZE:
        raise EncodingError("C1 of the SM2 ciphertext: a coordinate has more than 32 bytes")
    return b"\x04" + x.to_bytes(SIZE) + y.to_bytes(SIZE), c2, c3


def _from_raw(octets: bytes, encoding: CiphertextEncoding) -> tuple[bytes, bytes, bytes]:
    if encoding.endswith("-bare"):
        octets = b"\x04" + octets
    size = 1 + SIZE if octets[:1] in (b"\x02", b"\x03") else 1 + 2 * SIZE
    rest = octets[size:]
    if encoding.startswith("c1c3c2"):
        return octets[:size], rest[_C3:], rest[:_C3]
    return octets[:size], rest[:-_C3], rest[-_C3:]
