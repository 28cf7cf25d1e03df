"""SM3 hash (GB/T 32905-2016, GM/T 0004-2012) and HMAC-SM3 (GB/T 15852.2, GM/T 0042-2015) from native code.

``hashlib`` serves them where Python's OpenSSL has SM3 (1.1.1 and later, unless compiled out); otherwise the ``cryptography``
wheel's own OpenSSL does. Which one is settled by a known answer at import. Example: ``sm3(b"abc").hex()`` is
``66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0`` (GB/T 32905-2016, annex A.1).
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Protocol, Self

from cryptography.hazmat.primitives import hashes

from crypto.errors import CryptoError

DIGEST_SIZE, BLOCK_SIZE = 32, 64
ABC = bytes.fromhex("66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0")
"""SM3("abc"), GB/T 32905-2016 annex A.1: the known answer."""


class Hasher(Protocol):
    """Incremental hash: ``update`` any number of times, then ``digest`` (32 bytes). ``copy`` goes on from here twice."""

    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...

    def hexdigest(self) -> str: ...

    def copy(self) -> Hasher: ...


class CryptographyHasher:
    """SM3 of the ``cryptography`` wheel behind the shape of hashlib (PEP 452)."""

    name = "sm3"
    digest_size, block_size = DIGEST_SIZE, BLOCK_SIZE

    def __init__(self, data: bytes = b"", context: hashes.Hash | None = None) -> None:
        self._context = context or hashes.Hash(hashes.SM3())
        self._context.update(data)

    def update(self, data: bytes, /) -> None:
        self._context.update(data)

    def digest(self) -> bytes:
        return self._context.copy().finalize()

    def hexdigest(self) -> str:
        return self.digest().hex()

    def copy(self) -> CryptographyHasher:
        return CryptographyHasher(context=self._context.copy())


def in_hashlib() -> bool:
    """True where Python's own OpenSSL gives the known answer."""
    try:
        return hashlib.new("sm3", b"abc").digest() == ABC
    except ValueError:
        return False


_IN_HASHLIB = in_hashlib()
_FRESH: Hasher = hashlib.new("sm3") if _IN_HASHLIB else CryptographyHasher()
"""Copied for every digest: half the time of asking OpenSSL for the algorithm by name."""


def backend() -> str:
    """What serves SM3 here, for the self-test's table."""
    return "hashlib" if _IN_HASHLIB else "cryptography"


def sm3_hasher(data: bytes = b"") -> Hasher:
    """A fresh incremental SM3."""
    hasher = _FRESH.copy()
    hasher.update(data)
    return hasher


def sm3(data: bytes) -> bytes:
    """The 32-byte SM3 digest of ``data``."""
    return sm3_hasher(data).digest()


class Mac:
    """HMAC-SM3: ``Mac(key).update(data).digest()``, or ``.verify(tag)`` in constant time.

    ``size``  bytes of the tag, 16 to 32 (GB/T 15852.2 lets a tag be cut); a tag of another size is never taken
    """

    def __init__(self, key: bytes, size: int = DIGEST_SIZE) -> None:
        if not 16 <= size <= DIGEST_SIZE:
            raise CryptoError("an HMAC-SM3 tag has 16 to 32 bytes")
        self._size = size
        self._hmac = hmac.new(key, digestmod="sm3" if _IN_HASHLIB else CryptographyHasher)

    def update(self, data: bytes) -> Self:
        self._hmac.update(data)
        return self

    def digest(self) -> bytes:
        return self._hmac.digest()[: self._size]

    def verify(self, tag: bytes) -> bool:
        return hmac.compare_digest(self.digest(), tag)


def hmac_sm3(key: bytes, data: bytes) -> bytes:
    """The 32-byte HMAC-SM3 of ``data``."""
    if _IN_HASHLIB:
        return hmac.digest(key, data, "sm3")
    return Mac(key).update(data).digest()
