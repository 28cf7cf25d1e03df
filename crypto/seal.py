"""Sealing: SM4-GCM with a fresh key for every message (GB/T 32907-2016, GB/T 36624-2018; HKDF-SM3 after RFC 5869).

    sealed = seal(key, b"plaintext", "report:7")        # 33 bytes longer
    open_sealed(key, sealed, "report:7")                # DecryptionError for another key, another context, or any change

``key`` has 16 or 32 unguessable bytes. ``context`` says what and where this is; it is authenticated, not stored, so that a sealed
value moved to another place does not open there. Each message draws 16 random bytes, from which HKDF makes its own SM4 key and
nonce: however many are sealed under one key, no nonce repeats under one SM4 key. Files of any size: ``stream``.
"""

from __future__ import annotations

import secrets

from crypto.derive import hkdf_sm3
from crypto.errors import CryptoError, DecryptionError
from crypto.sm4.gcm import NONCE_SIZE, TAG_SIZE, decrypt_gcm, encrypt_gcm

_VERSION, _SALT, _KEY = b"\x01", 16, 16
OVERHEAD = len(_VERSION) + _SALT + TAG_SIZE
"""Bytes that sealing adds."""


def seal(key: bytes, plaintext: bytes, context: bytes | str) -> bytes:
    """Version, salt, ciphertext, tag."""
    salt = secrets.token_bytes(_SALT)
    message_key, nonce = _derive(key, salt)
    return _VERSION + salt + encrypt_gcm(message_key, nonce, plaintext, _octets(context))


def open_sealed(key: bytes, sealed: bytes, context: bytes | str) -> bytes:
    """The plaintext. Raises DecryptionError."""
    if len(sealed) < OVERHEAD or sealed[:1] != _VERSION:
        raise DecryptionError("this is not a sealed message")
    message_key, nonce = _derive(key, sealed[1 : 1 + _SALT])
    return decrypt_gcm(message_key, nonce, sealed[1 + _SALT :], _octets(context))


def _derive(key: bytes, salt: bytes) -> tuple[bytes, bytes]:
    if len(key) not in (16, 32):
        raise CryptoError("a sealing key has 16 or 32 bytes")
    output = hkdf_sm3(key, salt, b"liandun seal v1", _KEY + NONCE_SIZE)
    return output[:_KEY], output[_KEY:]


def _octets(context: bytes | str) -> bytes:
    return context.encode() if isinstance(context, str) else context
