"""Literals of the query language: numbers, addresses, networks, dates."""

from __future__ import annotations

import ipaddress
import math
import re

from kernel.addresses import without_scope
from kernel.event import parse_timestamp

_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)
PLAIN_NUMBER = r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?"
"""Texts that ranges with numeric bounds compare as numbers (valid for RE2 and Python)."""
_DATE = re.compile(r"\d{4}-\d\d(-\d\d([Tt ]\d\d(:\d\d(:\d\d([.,]\d{1,9})?)?)?)?)?", re.ASCII)

MAPPED = "0" * 20 + "ffff"
"""First 24 of the 32 hex digits of an IPv4 address (RFC 4291 §2.5.5.2, IPv4-mapped)."""


def number(text: str) -> int | float | None:
    """The number a text spells, or None. Whole numbers of 64 bits stay exact, larger ones become floats."""
    if _NUMBER.fullmatch(text) is None or len(text) > 400:
        return None
    if text.lstrip("+-").isdigit():
        whole = int(text)
        if -(1 << 63) <= whole < 1 << 64:
            return whole
    value = float(text)
    return value if math.isfinite(value) else None


def ip_hex(text: str) -> str | None:
    """32 hex digits of an address, or None; IPv4 and IPv4-mapped IPv6 are the same, a scope (``%eth0``) is ignored.

    IPv6 with a dotted tail counts only in the mapped form ``::ffff:a.b.c.d``.
    """
    bare = without_scope(text)
    if bare is None:
        return None
    if "." in bare and ":" in bare:
        if not bare.lower().startswith("::ffff:"):
            return None
        bare = bare[7:]
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return None
    return MAPPED + f"{int(address):08x}" if address.version == 4 else f"{int(address):032x}"


def network(text: str) -> tuple[str, str] | None:
    """First and last address (32 hex digits) of an address or CIDR network, or None."""
    if "/" not in text:
        single = ip_hex(text)
        return (single, single) if single else None
    try:
        block = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
    if block.version == 4:
        return MAPPED + f"{int(block[0]):08x}", MAPPED + f"{int(block[-1]):08x}"
    return f"{int(block[0]):032x}", f"{int(block[-1]):032x}"


def date_prefix(text: str) -> str | None:
    """The start of an ``@timestamp`` text that a date literal (``2026-11``, ``2026-11-23T04:00``, ISO with zone) means, or None."""
    bare = text.removesuffix("Z").removesuffix("z")
    if _DATE.fullmatch(bare):
        return bare.upper().replace(" ", "T").replace(",", ".")[:26]
    return parse_timestamp(text.upper())
