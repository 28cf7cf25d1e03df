"""Dynamic passwords with SM3 (GM/T 0021-2012, GB/T 38556-2020): the domestic variant of HOTP and TOTP.

ID = T (8 bytes) | C (4 bytes) | Q (ASCII), filled with zero bytes to 16 at least; S = SM3(K | ID); the eight 32-bit words of S
are added; the last N decimal digits of the sum are the password.
"""

from __future__ import annotations

from crypto.errors import CryptoError
from crypto.sm3 import sm3


def one_time_password(key: bytes, time_factor: int, event: int = 0, challenge: str = "", digits: int = 6) -> str:
    """The password of ``digits`` (4 to 9) decimal digits.

    ``key`` has at least 16 bytes; ``time_factor`` counts intervals of at most 60 seconds since 1970 (UTC).
    """
    if len(key) < 16:
        raise CryptoError("the seed of a dynamic password has at least 16 bytes")
    if not 4 <= digits <= 9:
        raise CryptoError("a dynamic password has 4 to 9 digits")
    ident = time_factor.to_bytes(8) + event.to_bytes(4) + challenge.encode("ascii")
    digest = sm3(key + ident.ljust(16, b"\0"))
    total = sum(int.from_bytes(digest[start : start + 4]) for start in range(0, 32, 4)) % (1 << 32)
    return f"{total % 10**digits:0{digits}}"
