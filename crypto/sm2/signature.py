"""Signatures as octets: DER SEQUENCE of r and s (GM/T 0009-2023), or r and s in 32 bytes each."""

from __future__ import annotations

from typing import Literal, get_args

from crypto.der import Reader, encode_integer, encode_sequence
from crypto.errors import CryptoError, EncodingError
from crypto.sm2.curve import SIZE, N

SignatureEncoding = Literal["der", "raw"]


def decode_signature(signature: bytes, encoding: SignatureEncoding) -> bytes:
    """r and s in 32 bytes each, both within 1..n-1 (GB/T 32918.2-2016 clause 7.1, B1 and B2); else EncodingError."""
    check_encoding(encoding)
    if encoding == "raw":
        if len(signature) != 2 * SIZE:
            raise EncodingError("a raw SM2 signature has 64 bytes")
        r, s = int.from_bytes(signature[:SIZE]), int.from_bytes(signature[SIZE:])
    else:
        outer = Reader(signature, "SM2 signature")
        inner = outer.sequence()
        r, s = inner.integer(), inner.integer()
        inner.end()
        outer.end()
    if not (1 <= r < N and 1 <= s < N):
        raise EncodingError("a half of the SM2 signature is outside of 1..n-1")
    return r.to_bytes(SIZE) + s.to_bytes(SIZE)


def encode_signature(raw: bytes, encoding: SignatureEncoding) -> bytes:
    """The 64 bytes r, s as ``encoding``."""
    check_encoding(encoding)
    if encoding == "raw":
        return raw
    return encode_sequence(encode_integer(int.from_bytes(raw[:SIZE])), encode_integer(int.from_bytes(raw[SIZE:])))


def check_encoding(encoding: SignatureEncoding) -> None:
    if encoding not in get_args(SignatureEncoding):
        raise CryptoError(f"unknown signature encoding {encoding!r}; there are der and raw")
