"""Random tokens: what a browser or program keeps, and what the database keeps of it."""

from __future__ import annotations

import secrets

from crypto.sm3 import sm3


def new_token() -> str:
    """256 random bits as text."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """What is stored of a random token: SM3, hex. Tokens carry 256 random bits, so a fast hash is enough."""
    return sm3(token.encode("utf-8", "replace")).hex()
