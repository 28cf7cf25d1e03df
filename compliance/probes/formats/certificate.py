"""What of an X.509 certificate (RFC 5280, GM/T 0015) probes look at."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
from asn1crypto import x509

SM2_CURVE = "1.2.156.10197.1.301"


class Certificate(msgspec.Struct, frozen=True):
    """Times in UTC; ``key``: rsa, ec, sm2, or another algorithm; ``bits`` 0 where unknown."""

    subject: str
    issuer: str
    not_before: datetime
    not_after: datetime
    names: tuple[str, ...]
    key: str
    bits: int
    signature: str
    is_self_signed: bool


def certificate(der: bytes) -> Certificate:
    """Raises ValueError where it is none."""
    try:
        found = x509.Certificate.load(der)
        key = found.public_key
        algorithm = str(key.algorithm)
        curve = str(key["algorithm"]["parameters"].native) if algorithm == "ec" else ""
        bits = int(key.bit_size) if algorithm in ("rsa", "dsa") else (256 if "." in curve else int(key.bit_size) if curve else 0)
        names = found.subject_alt_name_value.native if found.subject_alt_name_value else []
        return Certificate(
            subject=found.subject.human_friendly,
            issuer=found.issuer.human_friendly,
            not_before=found.not_valid_before.astimezone(UTC),
            not_after=found.not_valid_after.astimezone(UTC),
            names=tuple(name for name in names if isinstance(name, str)),
            key="sm2" if curve in (SM2_CURVE, "sm2", "curvesm2") else algorithm,
            bits=bits,
            signature=str(found["signature_algorithm"]["algorithm"].native),
            is_self_signed=found.subject == found.issuer,
        )
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise ValueError(f"this is no certificate ({type(error).__name__})") from error
