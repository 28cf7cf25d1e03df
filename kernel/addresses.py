"""Texts of IP addresses: how long one may be, and the address within it.

An IPv6 address may name the interface it is reached over, its scope (``fe80::1%eth0``, RFC 4007 11). A scope is chosen by whoever
writes the address and says nothing about which address it is. One that is longer than an interface name can be makes no address
here, so that nobody fills memories and caches with addresses of 60,000 letters.
"""

from __future__ import annotations

LONGEST_SCOPE = 32
"""Letters. Linux allows interface names of 15, Windows and BSD write numbers; RFC 4007 sets no limit."""
LONGEST_ADDRESS = 45 + 1 + LONGEST_SCOPE
"""Letters of an address: eight groups with a dotted tail, ``%``, scope."""


def without_scope(text: str) -> str | None:
    """The text before the scope; None where it cannot be an address: too long, an empty scope, a scope without IPv6."""
    if len(text) > LONGEST_ADDRESS:
        return None
    if "%" not in text:
        return text
    bare, _, scope = text.partition("%")
    return bare if ":" in bare and 0 < len(scope) <= LONGEST_SCOPE and "%" not in scope else None
