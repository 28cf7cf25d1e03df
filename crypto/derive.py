"""Keys from passwords and from other keys: PBKDF2-HMAC-SM3 (GM/T 0091-2020), HKDF-SM3 (RFC 5869), and the KDF of SM2 (GB/T
32918.3).
"""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from crypto.errors import CryptoError
from crypto.sm3 import DIGEST_SIZE, hmac_sm3, in_hashlib, sm3_hasher

_IN_HASHLIB = in_hashlib()


def pbkdf2_sm3(password: bytes, salt: bytes, iterations: int, size: int = 32) -> bytes:
    """``size`` bytes from ``password``; each iteration costs the guesser as much as us (about a microsecond)."""
    if iterations < 1 or size < 1:
        raise CryptoError("PBKDF2 needs at least one iteration and one byte")
    if _IN_HASHLIB:
        return hashlib.pbkdf2_hmac("sm3", password, salt, iterations, dklen=size)
    return PBKDF2HMAC(algorithm=hashes.SM3(), length=size, salt=salt, iterations=iterations).derive(password)


def hkdf_sm3(key: bytes, salt: bytes, info: bytes, size: int) -> bytes:
    """``size`` bytes (1 to 8,160) from a key that is already unguessable; ``info`` separates uses of one key."""
    if not 1 <= size <= 255 * DIGEST_SIZE:
        raise CryptoError("HKDF-SM3 gives 1 to 8160 bytes")
    extracted = hmac_sm3(salt or bytes(DIGEST_SIZE), key)
    output, block = b"", b""
    for counter in range(1, -(-size // DIGEST_SIZE) + 1):
        block = hmac_sm3(extracted, block + info + bytes((counter,)))
        output += block
    return output[:size]


def sm2_kdf(shared: bytes, size: int) -> bytes:
    """The key derivation function of GB/T 32918.3-2016 clause 5.4.3: SM3(shared, 1), SM3(shared, 2) …"""
    if not 0 <= size <= DIGEST_SIZE * 0xFFFFFFFF:
        raise CryptoError("the key derivation function of SM2 cannot give that many bytes")
    prefix = sm3_hasher(shared)
    blocks = []
    for counter in range(1, -(-size // DIGEST_SIZE) + 1):
        hasher = prefix.copy()
        hasher.update(counter.to_bytes(4))
        blocks.append(hasher.digest())
    return b"".join(blocks)[:size]
