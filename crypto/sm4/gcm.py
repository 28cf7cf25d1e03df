"""SM4-GCM (GB/T 36624-2018 mechanism 6; NIST SP 800-38D; RFC 8998) by the fastest library here whose answers are right.

libgcrypt, where the machine has it, has vector code for SM4 and is about five times as fast as the OpenSSL of the
``cryptography`` wheel, which is always there. The wheel refuses nonces shorter than 8 or longer than 128 bytes; for those alone,
GCM is put together from native SM4-CTR and a GHASH in Python. ``LIANDUN_SM4`` (libgcrypt, cryptography) forces one.
"""

from __future__ import annotations

import functools
from typing import Protocol

from crypto.backends import choose
from crypto.errors import BackendError, CryptoError, DecryptionError
from crypto.native.libgcrypt import LibgcryptGcm
from crypto.sm4.gcm_composed import ComposedGcm
from crypto.sm4.gcm_wheel import NONCE_SIZES, WheelGcm

TAG_SIZE, NONCE_SIZE = 16, 12
_MOST_BYTES = (1 << 36) - 32


class GcmEngine(Protocol):
    """Tags of 16 bytes; arguments are checked before."""

    name: str

    def encrypt(self, key: bytes, nonce: bytes, plaintext: bytes, aad: bytes, /) -> tuple[bytes, bytes]:
        """Ciphertext and tag."""

    def decrypt(self, key: bytes, nonce: bytes, ciphertext: bytes, tag: bytes, aad: bytes, /) -> bytes | None:
        """The plaintext, or None where the tag (12 to 16 bytes) is not right."""


CANDIDATES: dict[str, type[GcmEngine]] = {"libgcrypt": LibgcryptGcm, "cryptography": WheelGcm}
_composed = ComposedGcm()


@functools.cache
def engine() -> GcmEngine:
    """The back end in use; chosen and tested once per process."""
    return choose("SM4-GCM", "LIANDUN_SM4", CANDIDATES, probe)


def probe(name: str) -> GcmEngine:
    """The back end of this name, after its known-answer test. Raises BackendError."""
    candidate = CANDIDATES[name]()
    check_known_answers(candidate)
    return candidate


def encrypt_gcm(key: bytes, nonce: bytes, plaintext: bytes, aad: bytes = b"", tag_size: int = TAG_SIZE) -> bytes:
    """Ciphertext and tag. ``nonce`` (12 bytes unless another format says so) never repeats under a key; ``aad`` is only
    authenticated.
    """
    _check(key, nonce, tag_size, len(plaintext))
    ciphertext, tag = _for_nonce(nonce).encrypt(key, nonce, plaintext, aad)
    return ciphertext + tag[:tag_size]


def decrypt_gcm(key: bytes, nonce: bytes, ciphertext: bytes, aad: bytes = b"", tag_size: int = TAG_SIZE) -> bytes:
    """Inverse. Raises DecryptionError for another key, nonce or ``aad``, and for any change."""
    _check(key, nonce, tag_size, len(ciphertext) - tag_size)
    if len(ciphertext) < tag_size:
        raise DecryptionError("the SM4-GCM ciphertext is shorter than its tag")
    plaintext = _for_nonce(nonce).decrypt(key, nonce, ciphertext[:-tag_size], ciphertext[-tag_size:], aad)
    if plaintext is None:
        raise DecryptionError("the SM4-GCM ciphertext does not open: another key, or it was changed")
    return plaintext


def _for_nonce(nonce: bytes) -> GcmEngine:
    chosen = engine()
    return _composed if isinstance(chosen, WheelGcm) and len(nonce) not in NONCE_SIZES else chosen


def _check(key: bytes, nonce: bytes, tag_size: int, size: int) -> None:
    if len(key) != 16:
        raise CryptoError("an SM4 key has 16 bytes")
    if not nonce:
        raise CryptoError("SM4-GCM needs a nonce")
    if not 12 <= tag_size <= TAG_SIZE:
        raise CryptoError("a tag of SM4-GCM has 12 to 16 bytes")
    if size > _MOST_BYTES:
        raise CryptoError("too much for one SM4-GCM message (64 GiB)")


# RFC 8998 appendix A.1
_KEY, _NONCE = bytes.fromhex("0123456789abcdeffedcba9876543210"), bytes.fromhex("00001234567800000000abcd")
_AAD = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
_PLAINTEXT = b"".join(bytes((octet,)) * 8 for octet in (0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF, 0xEE, 0xAA))
_CIPHERTEXT = bytes.fromhex(
    "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735"
    "d82710ca5c22f0ccfa7cbf93d496ac15a56834cbcf98c397b4024a2691233b8d"
)
_TAG = bytes.fromhex("83de3541e4c2b58177e065a9bf7b62ec")


def check_known_answers(candidate: GcmEngine) -> None:
    """RFC 8998 both ways, a wrong tag, and lengths around the vector code's blocks against the composed GCM; BackendError where
    one is off.
    """
    if candidate.encrypt(_KEY, _NONCE, _PLAINTEXT, _AAD) != (_CIPHERTEXT, _TAG):
        raise BackendError(f"{candidate.name}: SM4-GCM gives a wrong answer")
    if candidate.decrypt(_KEY, _NONCE, _CIPHERTEXT, _TAG, _AAD) != _PLAINTEXT:
        raise BackendError(f"{candidate.name}: SM4-GCM does not decrypt")
    if candidate.decrypt(_KEY, _NONCE, _CIPHERTEXT, _TAG[::-1], _AAD) is not None:
        raise BackendError(f"{candidate.name}: SM4-GCM takes a wrong tag")
    for size in (0, 1, 15, 17, 127, 255, 528):  # 8 and 16 blocks at once, and the rests
        message = bytes(range(256)) * 3
        if candidate.encrypt(_KEY, _NONCE, message[:size], _AAD) != _composed.encrypt(_KEY, _NONCE, message[:size], _AAD):
            raise BackendError(f"{candidate.name}: SM4-GCM of {size} bytes gives a wrong answer")
