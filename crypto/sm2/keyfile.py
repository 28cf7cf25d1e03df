"""SM2 keys as files: SubjectPublicKeyInfo (RFC 5480), PKCS#8 (RFC 5208, 5958), SEC 1, and PBES2 encryption (RFC 8018, ``pbes2``).

Everything is read strictly (``der``): other algorithms, other curves, explicit curve parameters and bytes left over are refused.
"""

from __future__ import annotations

import base64
import binascii
import re

from crypto.der import Reader, encode, encode_bits, encode_integer, encode_object_id, encode_octets, encode_sequence
from crypto.errors import EncodingError, InvalidKeyError, WrongPasswordError
from crypto.pbes2 import KeyScheme, decrypt_pbes2, encrypt_pbes2
from crypto.sm2.curve import OBJECT_ID, SIZE

__all__ = ["KeyScheme"]

EC_PUBLIC_KEY = "1.2.840.10045.2.1"
ALGORITHM = encode_sequence(encode_object_id(EC_PUBLIC_KEY), encode_object_id(OBJECT_ID))
"""AlgorithmIdentifier of an SM2 key."""

_PARAMETERS, _PUBLIC, _ATTRIBUTES, _PUBLIC_IMPLICIT = 0xA0, 0xA1, 0xA0, 0x81
_ARMOUR = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----\s(.*?)-----END \1-----", re.DOTALL)


def read_spki(octets: bytes) -> bytes:
    """The point as octets; the caller checks that it is on the curve."""
    outer = Reader(octets, "SM2 public key")
    info = outer.sequence()
    outer.end()
    _expect_sm2(info.sequence(), "SM2 public key")
    point = info.bits()
    info.end()
    return point


def write_spki(point: bytes) -> bytes:
    return encode_sequence(ALGORITHM, encode_bits(point))


def read_private(octets: bytes, password: bytes | str | None) -> tuple[bytes, bytes | None]:
    """The 32-byte number and, where the file has it, the public point; ranges and their match are the caller's to check."""
    outer = Reader(octets, "private key")
    info = outer.sequence()
    outer.end()
    if info.peek() == 0x30:
        if password is None:
            raise WrongPasswordError("the private key is encrypted: it needs its password")
        return _read_pkcs8(decrypt_pbes2(octets, password))
    version = info.integer()
    if info.peek() == 0x04 and version == 1:
        return _read_sec1(octets, curve_known=False)
    return _read_pkcs8(octets)


def write_private(scalar: bytes, point: bytes, password: bytes | str | None, scheme: KeyScheme) -> bytes:
    inner = encode_sequence(encode_integer(1), encode_octets(scalar), encode(_PUBLIC, encode_bits(point)))
    plain = encode_sequence(encode_integer(0), ALGORITHM, encode_octets(inner))
    return plain if password is None else encrypt_pbes2(plain, password, scheme)


def armour(label: str, der: bytes) -> str:
    """PEM (RFC 7468)."""
    text = base64.b64encode(der).decode()
    lines = "\n".join(text[start : start + 64] for start in range(0, len(text), 64))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n"


def unarmour_public(text: str | bytes) -> bytes:
    return _unarmour(text, ("PUBLIC KEY",))


def unarmour_private(text: str | bytes) -> bytes:
    return _unarmour(text, ("PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "EC PRIVATE KEY"))


def _unarmour(text: str | bytes, labels: tuple[str, ...]) -> bytes:
    """The bytes of the one block with one of these labels; blocks of other kinds (EC PARAMETERS) stand beside it freely."""
    if isinstance(text, bytes):
        text = text.decode("ascii", "replace")
    blocks = [(label, body) for label, body in _ARMOUR.findall(text) if label in labels]
    if len(blocks) != 1:
        raise EncodingError(f"expected one PEM block {' or '.join(labels)}, found {len(blocks)}")
    body = blocks[0][1]
    if "Proc-Type" in body:
        raise EncodingError("this old encryption of PEM files is weak and not read; convert it with: openssl pkcs8 -topk8")
    try:
        return base64.b64decode("".join(body.split()), validate=True)
    except binascii.Error as error:
        raise EncodingError(f"the PEM block {blocks[0][0]} is damaged") from error


def _read_pkcs8(octets: bytes) -> tuple[bytes, bytes | None]:
    outer = Reader(octets, "PKCS#8 private key")
    info = outer.sequence()
    outer.end()
    version = info.integer()
    if version > 1:
        raise EncodingError("PKCS#8 private key: unknown version")
    _expect_sm2(info.sequence(), "PKCS#8 private key")
    scalar, point = _read_sec1(info.read(0x04), curve_known=True)
    if info.peek() == _ATTRIBUTES:
        info.read(_ATTRIBUTES)
    if version == 1 and info.peek() == _PUBLIC_IMPLICIT:
        public = info.read(_PUBLIC_IMPLICIT)
        if public[:1] != b"\0" or (point is not None and point != public[1:]):
            raise InvalidKeyError("PKCS#8 private key: its two public keys differ")
        point = public[1:]
    info.end()
    return scalar, point


def _read_sec1(octets: bytes, curve_known: bool) -> tuple[bytes, bytes | None]:
    """ECPrivateKey (SEC 1 annex C.4, RFC 5915)."""
    outer = Reader(octets, "EC private key")
    key = outer.sequence()
    outer.end()
    if key.integer() != 1:
        raise EncodingError("EC private key: unknown version")
    scalar = key.read(0x04)
    if len(scalar) != SIZE:
        raise InvalidKeyError("an SM2 private key has 32 bytes")
    if key.peek() == _PARAMETERS:
        parameters = key.nested(_PARAMETERS)
        if parameters.peek() != 0x06 or parameters.object_id() != OBJECT_ID:
            raise InvalidKeyError("EC private key: not on the SM2 curve")
        parameters.end()
    elif not curve_known:
        raise InvalidKeyError("EC private key: it does not name its curve")
    point = None
    if key.peek() == _PUBLIC:
        public = key.nested(_PUBLIC)
        point = public.bits()
        public.end()
    key.end()
    return scalar, point


def _expect_sm2(algorithm: Reader, what: str) -> None:
    if algorithm.object_id() != EC_PUBLIC_KEY or algorithm.peek() != 0x06 or algorithm.object_id() != OBJECT_ID:
        raise InvalidKeyError(f"{what}: another algorithm or curve than SM2 (1.2.156.10197.1.301)")
    algorithm.end()
