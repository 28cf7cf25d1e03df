"""SM4-CCM (GB/T 36624-2018 mechanism 3; RFC 3610; RFC 8998), which no maintained wheel offers: CBC-MAC and CTR of native SM4 put
together.

The check value is computed over the whole plaintext before anything is handed out.
"""

from __future__ import annotations

import hmac

from crypto.errors import CryptoError, DecryptionError
from crypto.sm4.modes import BLOCK_SIZE, crypt_ctr, encrypt_cbc

TAG_SIZE = 16
_TAG_SIZES = (4, 6, 8, 10, 12, 14, 16)


def encrypt_ccm(key: bytes, nonce: bytes, plaintext: bytes, aad: bytes = b"", tag_size: int = TAG_SIZE) -> bytes:
    """Ciphertext and tag. ``nonce`` has 7 to 13 bytes and never repeats under a key; ``aad`` is authenticated, not encrypted."""
    _check(nonce, tag_size, len(plaintext))
    mac = _mac(key, nonce, plaintext, aad, tag_size)
    crypted = crypt_ctr(key, _first_counter(nonce), mac.ljust(BLOCK_SIZE, b"\0") + plaintext)
    return crypted[BLOCK_SIZE:] + crypted[:tag_size]


def decrypt_ccm(key: bytes, nonce: bytes, ciphertext: bytes, aad: bytes = b"", tag_size: int = TAG_SIZE) -> bytes:
    """Inverse. Raises DecryptionError for another key, nonce or ``aad``, and for any change."""
    _check(nonce, tag_size, len(ciphertext) - tag_size)
    if len(ciphertext) < tag_size:
        raise DecryptionError("the SM4-CCM ciphertext is shorter than its tag")
    body, tag = ciphertext[:-tag_size], ciphertext[-tag_size:]
    crypted = crypt_ctr(key, _first_counter(nonce), tag.ljust(BLOCK_SIZE, b"\0") + body)
    plaintext = crypted[BLOCK_SIZE:]
    if not hmac.compare_digest(_mac(key, nonce, plaintext, aad, tag_size), crypted[:tag_size]):
        raise DecryptionError("the SM4-CCM ciphertext does not open: another key, or it was changed")
    return plaintext


def _check(nonce: bytes, tag_size: int, size: int) -> None:
    if not 7 <= len(nonce) <= 13:
        raise CryptoError("a nonce of SM4-CCM has 7 to 13 bytes")
    if tag_size not in _TAG_SIZES:
        raise CryptoError("a tag of SM4-CCM has 4, 6, 8, 10, 12, 14 or 16 bytes")
    if size >= 1 << 8 * (15 - len(nonce)):
        raise CryptoError("too much for one SM4-CCM message with a nonce of this length")


def _first_counter(nonce: bytes) -> bytes:
    """A0 (RFC 3610 section 2.3): its key stream covers the tag."""
    return bytes((14 - len(nonce),)) + nonce + bytes(15 - len(nonce))


def _mac(key: bytes, nonce: bytes, plaintext: bytes, aad: bytes, tag_size: int) -> bytes:
    """The CBC-MAC of B0, the additional data and the plaintext (RFC 3610 section 2.2)."""
    length_size = 15 - len(nonce)
    flags = (0x40 if aad else 0) | (tag_size - 2) // 2 << 3 | length_size - 1
    first = bytes((flags,)) + nonce + len(plaintext).to_bytes(length_size)
    blocks = first + _padded(_aad_length(len(aad)) + aad if aad else b"") + _padded(plaintext)
    return encrypt_cbc(key, bytes(BLOCK_SIZE), blocks, padded=False)[-BLOCK_SIZE:][:tag_size]


def _aad_length(size: int) -> bytes:
    if size < 0xFF00:
        return size.to_bytes(2)
    return b"\xff\xfe" + size.to_bytes(4) if size < 1 << 32 else b"\xff\xff" + size.to_bytes(8)


def _padded(octets: bytes) -> bytes:
    return octets + bytes(-len(octets) % BLOCK_SIZE)
