"""Password hashes: argon2id (RFC 9106) or PBKDF2-HMAC-SM3 (GM/T 0091-2020 with SM3, GB/T 32905-2016).

A stored hash names its scheme and cost, so both can be changed later: verify, then re-hash where :func:`outdated` says so.
One verification costs about a quarter of a CPU second; never do it inside a database transaction.
"""

from __future__ import annotations

import base64
import hmac
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from crypto.derive import pbkdf2_sm3

SCHEMES: tuple[str, ...] = ("argon2id", "pbkdf2-sm3")
PBKDF2_ITERATIONS = 200_000

_argon2 = PasswordHasher()


def hash_password(password: str, scheme: str = "argon2id") -> str:
    """A salted hash of ``password`` as text; ``scheme`` is one of ``SCHEMES``."""
    if scheme == "argon2id":
        return _argon2.hash(password)
    if scheme != "pbkdf2-sm3":
        raise ValueError(f"unknown password scheme {scheme!r}")
    salt = secrets.token_bytes(16)
    derived = pbkdf2_sm3(password.encode(), salt, PBKDF2_ITERATIONS)
    return f"$pbkdf2-sm3${PBKDF2_ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(derived).decode()}"


def verify_password(stored: str, password: str) -> bool:
    """True where ``password`` is the one that was hashed; a damaged hash is never matched."""
    if stored.startswith("$pbkdf2-sm3$"):
        try:
            _, _, iterations, salt, expected = stored.split("$")
            derived = pbkdf2_sm3(password.encode(), base64.b64decode(salt), int(iterations))
        except ValueError:
            return False
        return hmac.compare_digest(derived, base64.b64decode(expected))
    try:
        return _argon2.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


def outdated(stored: str, scheme: str = "argon2id") -> bool:
    """True where the hash is of another scheme or cheaper than today's."""
    if scheme == "pbkdf2-sm3":
        return not stored.startswith(f"$pbkdf2-sm3${PBKDF2_ITERATIONS}$")
    try:
        return _argon2.check_needs_rehash(stored)
    except InvalidHashError:
        return True
