"""For whom a sealed file is: the file's secret wrapped for an SM2 public key, a password, or a symmetric key.

A ``Recipient`` wraps; the ``Opener`` of the same kind unwraps, or gives None for a wrap that is not its own.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from typing import Protocol

from crypto.derive import pbkdf2_sm3
from crypto.errors import CryptoError, DecryptionError
from crypto.seal import open_sealed, seal
from crypto.sm2.keys import PrivateKey, PublicKey
from crypto.sm3 import sm3

ITERATIONS = 400_000
"""PBKDF2-HMAC-SM3 for a file's password: about half a second a guess."""
_MOST_ITERATIONS = 20_000_000
_SALT = _KEY_ID = 16
_PUBLIC_KEY, _PASSWORD, _KEY = 1, 2, 3


class Recipient(Protocol):
    """kind: which opener it is for (one byte of the header)."""

    kind: int

    def wrap(self, secret: bytes, /) -> bytes: ...


class Opener(Protocol):
    kind: int

    def unwrap(self, body: bytes, /) -> bytes | None: ...


class ForPublicKey:
    """Key identifier (first half of SM3 of the point) and the secret encrypted with SM2 (DER)."""

    kind = _PUBLIC_KEY

    def __init__(self, public: PublicKey) -> None:
        self._public = public

    def wrap(self, secret: bytes) -> bytes:
        return _key_id(self._public) + self._public.encrypt(secret)


class WithPrivateKey:
    kind = _PUBLIC_KEY

    def __init__(self, private: PrivateKey) -> None:
        self._private = private

    def unwrap(self, body: bytes) -> bytes | None:
        if not hmac.compare_digest(body[:_KEY_ID], _key_id(self._private.public)):
            return None
        return _attempt(lambda: self._private.decrypt(body[_KEY_ID:]))


class ForPassword:
    """Salt, iterations, and the secret sealed under PBKDF2-HMAC-SM3 of the password."""

    kind = _PASSWORD

    def __init__(self, password: str, iterations: int = ITERATIONS) -> None:
        if not password:
            raise CryptoError("an empty password protects nothing")
        self._password, self._iterations = password, iterations

    def wrap(self, secret: bytes) -> bytes:
        salt = secrets.token_bytes(_SALT)
        key = pbkdf2_sm3(self._password.encode(), salt, self._iterations)
        return salt + self._iterations.to_bytes(4) + seal(key, secret, "liandun stream password")


class WithPassword:
    kind = _PASSWORD

    def __init__(self, password: str) -> None:
        self._password = password

    def unwrap(self, body: bytes) -> bytes | None:
        salt, iterations, sealed = body[:_SALT], int.from_bytes(body[_SALT : _SALT + 4]), body[_SALT + 4 :]
        if not 1 <= iterations <= _MOST_ITERATIONS:
            return None
        key = pbkdf2_sm3(self._password.encode(), salt, iterations)
        return _attempt(lambda: open_sealed(key, sealed, "liandun stream password"))


class ForKey:
    """The secret sealed under a key that both sides have (16 or 32 bytes)."""

    kind = _KEY

    def __init__(self, key: bytes) -> None:
        self._key = key

    def wrap(self, secret: bytes) -> bytes:
        return seal(self._key, secret, "liandun stream key")

    def unwrap(self, body: bytes) -> bytes | None:
        return _attempt(lambda: open_sealed(self._key, body, "liandun stream key"))


WithKey = ForKey


def _key_id(public: PublicKey) -> bytes:
    return sm3(public.to_bytes())[:_KEY_ID]


def _attempt(unwrap: Callable[[], bytes]) -> bytes | None:
    try:
        return unwrap()
    except DecryptionError:
        return None
