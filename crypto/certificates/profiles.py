"""What a certificate is for: key usage (RFC 5280 clause 4.2.1.3) and extended key usage (4.2.1.12).

Double certificates (GM/T 0015, GB/T 38636): one key signs and the owner alone has it; another encrypts, and is made by the CA so
that it can be recovered (``double``).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Profile:
    """``path_length`` is for authorities: how many authorities may follow below (None: any number)."""

    usage: frozenset[str]
    extended: tuple[str, ...] = ()
    authority: bool = False
    path_length: int | None = None


_AUTHORITY = frozenset({"key_cert_sign", "crl_sign"})
_SIGN = frozenset({"digital_signature", "non_repudiation"})

ROOT = Profile(_AUTHORITY, authority=True, path_length=1)
ISSUING = Profile(_AUTHORITY, authority=True, path_length=0)
SIGNING = Profile(_SIGN)
SERVER = Profile(frozenset({"digital_signature"}), ("server_auth", "client_auth"))
CLIENT = Profile(frozenset({"digital_signature"}), ("client_auth",))
ENCRYPTION = Profile(frozenset({"key_encipherment", "data_encipherment", "key_agreement"}))

BY_NAME = {"signing": SIGNING, "server": SERVER, "client": CLIENT, "encryption": ENCRYPTION}
