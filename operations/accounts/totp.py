"""One-time passwords by time: RFC 6238 over HMAC-SHA-1 (what authenticator apps speak), and GM/T 0021-2012 over SM3.

    step = time // 30 s                                   (60 s for GM/T 0021)
    RFC 4226, 5.3:   code = dynamic truncation of HMAC(secret, step as 8 bytes) mod 10^6
    GM/T 0021, 5:    S = SM3(K | T | C | Q), T 8 bytes, C and Q 4 bytes each; code = (sum of the eight words of S mod 2^32) mod 10^6

Steps are given by the caller, so nothing here looks at a clock.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import struct
from urllib.parse import quote, urlencode

from crypto.sm3 import sm3

DIGESTS: dict[str, int] = {"sha1": 30, "sm3": 60}
"""Digest → seconds of a step."""

DIGITS = 6
WINDOW = 1
"""Steps before and after the present one that are accepted: clocks differ (RFC 6238, 5.2)."""


def new_secret(digest: str) -> bytes:
    """As many random bits as the digest asks for: 160 (RFC 4226, 4 R6), 128 for GM/T 0021."""
    return secrets.token_bytes(20 if digest == "sha1" else 16)


def code_at(secret: bytes, step: int, digest: str = "sha1") -> str:
    """The code of a time step."""
    if digest == "sm3":
        return gmt0021(secret, step)
    mac = hmac.new(secret, struct.pack(">Q", step), hashlib.sha1).digest()
    offset = mac[-1] & 15
    number: int = struct.unpack(">I", mac[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def gmt0021(secret: bytes, step: int, counter: int = 0, challenge: bytes = b"", digits: int = DIGITS) -> str:
    """The dynamic password of GM/T 0021 with SM3; without counter and challenge their places hold zeros."""
    words = struct.unpack(">8I", sm3(secret + struct.pack(">QI", step, counter) + challenge.ljust(4, b"\0")))
    return f"{sum(words) % 2**32 % 10**digits:0{digits}d}"


def matching_step(secret: bytes, code: str, now: float, digest: str = "sha1") -> int | None:
    """The step whose code this is, the newest first, or None. All steps are compared, so time tells nothing."""
    present, found = int(now) // DIGESTS[digest], None
    for step in range(present - WINDOW, present + WINDOW + 1):
        if hmac.compare_digest(code_at(secret, step, digest).encode(), code.encode("utf-8", "replace")):
            found = step
    return found


def text_of(secret: bytes) -> str:
    """The secret as people type it: Base32 without padding."""
    return base64.b32encode(secret).decode().rstrip("=")


def address_of(secret: bytes, account: str, issuer: str, digest: str = "sha1") -> str:
    """``otpauth://`` for the QR code (the Key Uri Format of authenticator apps)."""
    values = {"secret": text_of(secret), "issuer": issuer, "algorithm": digest.upper(), "digits": DIGITS, "period": DIGESTS[digest]}
    return f"otpauth://totp/{quote(f'{issuer}:{account}')}?{urlencode(values, quote_via=quote)}"
