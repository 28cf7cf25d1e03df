"""SM3 hash (GB/T 32905-2016, GM/T 0004-2012) from the platform's OpenSSL.

``hashlib`` serves it where Python's OpenSSL has SM3 (1.1.1 and later, unless compiled out); otherwise the ``cryptography``
wheel's own OpenSSL does. Both are native code. Example: ``sm3(b"abc").hex()`` is
``66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0`` (GB/T 32905-2016, annex A.1).
"""

from __future__ import annotations

import hashlib
from typing import Protocol

from cryptography.hazmat.primitives import hashes


class Hasher(Protocol):
    """Incremental hash: ``update`` any number of times, then ``digest`` (32 bytes)."""

    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...

    def hexdigest(self) -> str: ...


class _CryptographyHasher:
    def __init__(self) -> None:
        self._context = hashes.Hash(hashes.SM3())

    def update(self, data: bytes) -> None:
        self._context.update(data)

    def digest(self) -> bytes:
        return self._context.copy().finalize()

    def hexdigest(self) -> str:
        return self.digest().hex()


_IN_HASHLIB = "sm3" in hashlib.algorithms_available


def sm3_hasher() -> Hasher:
    """A fresh incremental SM3."""
    return hashlib.new("sm3") if _IN_HASHLIB else _CryptographyHasher()


def sm3(data: bytes) -> bytes:
    """The 32-byte SM3 digest of ``data``."""
    hasher = sm3_hasher()
    hasher.update(data)
    return hasher.digest()
