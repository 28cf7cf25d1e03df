"""Which addresses lie in the public internet, so that an address which somebody else chose may be connected to.

Where people enter URLs (webhooks, rule sets) everything else is refused: it leads to cloud metadata (169.254.169.254,
100.100.100.200), databases and devices behind this machine (server-side request forgery, OWASP API7:2023).
"""

from __future__ import annotations

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""RFC 6052 2.1: the last 32 bits are the IPv4 address that a translator sends the packet to."""
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
"""The part of IPv6 that IANA has given out as global unicast. What lies outside has no meaning yet or no longer (site-local,
IPv4-compatible, IPv4-translated, local NAT64), so it may mean something inside."""
_DOCUMENTATION = ipaddress.IPv6Network("3fff::/20")
"""RFC 9637; Python 3.11 does not know it yet."""


def is_public(address: Address) -> bool:
    """Whether ``address``, and the IPv4 address within it if there is one, are unicast addresses of the public internet."""
    return _public(address) and _public(destination(address))


def destination(address: Address) -> Address:
    """The IPv4 address inside a mapped, 6to4, Teredo or NAT64 one, else the address itself: where packets really go."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else address)


def _public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        if address in _NAT64:
            return True
        if address not in _GLOBAL_UNICAST or address in _DOCUMENTATION:
            return False
    return address.is_global and not address.is_multicast
