"""What SM2 signs: e = SM3(Z, message), Z = SM3(ENTL, identifier, a, b, G, public key) (GB/T 32918.2-2016 clause 5.5).

Computed here and handed to the library as a digest, since OpenSSL takes identifiers of up to 8,190 bytes only (the standard:
8,191).
"""

from __future__ import annotations

from crypto.errors import CryptoError
from crypto.sm2.curve import PARAMETERS
from crypto.sm3 import Hasher, sm3, sm3_hasher

DEFAULT_IDENT = b"1234567812345678"
"""The identifier where nobody agreed on another one (GM/T 0009-2023 clause 10; RFC 8998 uses another one for TLS)."""

LONGEST_IDENT = 8191
"""Bytes: ENTL counts bits in two octets."""


def identity_digest(point: bytes, ident: bytes = DEFAULT_IDENT) -> bytes:
    """Z: binds the signer's identifier and public key (``04 x y``) to what is signed."""
    if len(ident) > LONGEST_IDENT:
        raise CryptoError(f"an SM2 identifier has at most {LONGEST_IDENT} bytes")
    return sm3((8 * len(ident)).to_bytes(2) + ident + PARAMETERS + point[1:])


def message_hasher(point: bytes, ident: bytes = DEFAULT_IDENT) -> Hasher:
    """An SM3 that has taken Z in already: feed the message piece by piece, its digest is e."""
    return sm3_hasher(identity_digest(point, ident))


def message_digest(point: bytes, message: bytes, ident: bytes = DEFAULT_IDENT) -> bytes:
    """e of a message that fits in memory."""
    return sm3(identity_digest(point, ident) + message)
