"""Which IP addresses lie in the public internet: what a server may connect to when somebody else names the address.

Only those. Otherwise whoever may enter a URL could reach cloud metadata (169.254.169.254, 100.100.100.200), databases and devices
behind the platform (server-side request forgery, OWASP API7:2023).
"""

from __future__ import annotations

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# The part of IPv6 that IANA has given out as global unicast. What lies outside has no meaning yet or no longer (site-local,
# IPv4-compatible, IPv4-translated, local NAT64), so it may mean something inside.
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")


def is_public(address: Address) -> bool:
    """Whether the address, and an IPv4 address that it carries, is one of the public internet."""
    return _public(address) and _public(unwrapped(address))


def unwrapped(address: Address) -> Address:
    """The IPv4 address inside a mapped, 6to4, Teredo or NAT64 one: it decides where packets really go."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else address)


def _public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and address not in _GLOBAL_UNICAST and address not in _NAT64:
        return False
    return address.is_global and not address.is_multicast
