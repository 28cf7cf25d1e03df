"""GCM put together from native SM4 and a GHASH in Python: any nonce, slow (about 1 MB/s), used for odd nonces and as a known
answer.

Multiplication in GF(2^128) branches on the data, which here are a nonce of the sender's choice and a ciphertext, but also on the
hash key; that is why it serves only what no library takes.
"""

from __future__ import annotations

import hmac

from crypto.sm4.modes import BLOCK_SIZE, crypt_ctr, encrypt_ecb

_REDUCTION = 0xE1 << 120
_WRAP = 1 << 32


class ComposedGcm:
    """The interface of ``gcm.GcmEngine``."""

    name = "SM4-CTR of cryptography with a GHASH in Python"

    def encrypt(self, key: bytes, nonce: bytes, plaintext: bytes, aad: bytes) -> tuple[bytes, bytes]:
        hash_key = int.from_bytes(encrypt_ecb(key, bytes(BLOCK_SIZE)))
        first = _first_counter(hash_key, nonce)
        ciphertext = _counter_mode(key, first, plaintext)
        return ciphertext, _tag(key, hash_key, first, ciphertext, aad)

    def decrypt(self, key: bytes, nonce: bytes, ciphertext: bytes, tag: bytes, aad: bytes) -> bytes | None:
        hash_key = int.from_bytes(encrypt_ecb(key, bytes(BLOCK_SIZE)))
        first = _first_counter(hash_key, nonce)
        if not hmac.compare_digest(_tag(key, hash_key, first, ciphertext, aad)[: len(tag)], tag):
            return None
        return _counter_mode(key, first, ciphertext)


def _first_counter(hash_key: int, nonce: bytes) -> int:
    """J0 (SP 800-38D clause 7.1)."""
    if len(nonce) == 12:
        return int.from_bytes(nonce) << 32 | 1
    return _ghash(hash_key, _padded(nonce) + (8 * len(nonce)).to_bytes(16))


def _tag(key: bytes, hash_key: int, first: int, ciphertext: bytes, aad: bytes) -> bytes:
    lengths = (8 * len(aad)).to_bytes(8) + (8 * len(ciphertext)).to_bytes(8)
    digest = _ghash(hash_key, _padded(aad) + _padded(ciphertext) + lengths)
    return (digest ^ int.from_bytes(encrypt_ecb(key, first.to_bytes(16)))).to_bytes(16)


def _counter_mode(key: bytes, first: int, octets: bytes) -> bytes:
    """CTR from the block after ``first`` on; only its last 32 bits count, and where they wrap the rest stays (inc32)."""
    fixed, count = first - first % _WRAP, (first + 1) % _WRAP
    until_wrap = BLOCK_SIZE * (_WRAP - count)
    output = crypt_ctr(key, (fixed + count).to_bytes(16), octets[:until_wrap])
    if len(octets) > until_wrap:
        output += crypt_ctr(key, fixed.to_bytes(16), octets[until_wrap:])
    return output


def _ghash(hash_key: int, octets: bytes) -> int:
    digest = 0
    for start in range(0, len(octets), BLOCK_SIZE):
        digest = _multiply(digest ^ int.from_bytes(octets[start : start + BLOCK_SIZE]), hash_key)
    return digest


def _multiply(left: int, right: int) -> int:
    """The product in GF(2^128), first bit leftmost (SP 800-38D clause 6.3)."""
    product = 0
    for position in range(127, -1, -1):
        if left >> position & 1:
            product ^= right
        right = right >> 1 ^ _REDUCTION if right & 1 else right >> 1
    return product


def _padded(octets: bytes) -> bytes:
    return octets + bytes(-len(octets) % BLOCK_SIZE)
