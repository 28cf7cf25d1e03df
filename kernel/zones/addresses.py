"""Addresses and networks as the zone plan sees them: as numbers, so that one address is one however it is written.

* IPv4, IPv4-mapped IPv6 (``::ffff:a.b.c.d``, RFC 4291 2.5.5.2) and NAT64 (``64:ff9b::a.b.c.d``, RFC 6052 2.1) are the same: the
  last is how a device that speaks IPv6 alone reaches an IPv4 host.
* A scope (``fe80::1%eth0``) says nothing about which address it is.
"""

from __future__ import annotations

import ipaddress
from socket import AF_INET, AF_INET6, inet_pton

from kernel.addresses import without_scope

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MAPPED_NETWORK = ipaddress.IPv6Network("::ffff:0:0/96")
NAT64_NETWORK = ipaddress.IPv6Network("64:ff9b::/96")
_MAPPED = int(MAPPED_NETWORK[0])
_NAT64 = int(NAT64_NETWORK[0])


def number(text: str) -> int | None:
    """128 bits of an address, IPv4 as its mapped form; None for text that is no address."""
    bare = without_scope(text)
    if bare is None:
        return None
    try:  # the C library reads an address in a tenth of the time that ipaddress takes
        if ":" not in bare:
            return _MAPPED + int.from_bytes(inet_pton(AF_INET, bare))
        value = int.from_bytes(inet_pton(AF_INET6, bare))
    except (OSError, ValueError):
        return None
    return _MAPPED + (value & 0xFFFFFFFF) if value >> 32 == _NAT64 >> 32 else value


def written(value: int) -> str:
    """The usual text of such a number."""
    return str(ipaddress.IPv4Address(value & 0xFFFFFFFF) if value >> 32 == _MAPPED >> 32 else ipaddress.IPv6Address(value))


def canonical(text: str) -> str:
    """The usual text of an address, without scope, IPv4 where it stands for IPv4; other text comes back unchanged."""
    value = number(text)
    return text if value is None else written(value)


def plain_network(text: str, *, strict: bool = True) -> Network:
    """A network; one of IPv4-mapped addresses as IPv4. Raises ValueError, if ``strict`` also for set host bits."""
    network = ipaddress.ip_network(text, strict=strict)
    if isinstance(network, ipaddress.IPv6Network) and network.subnet_of(MAPPED_NETWORK):
        return ipaddress.IPv4Network((int(network[0]) & 0xFFFFFFFF, network.prefixlen - 96))
    return network


def bounds(network: Network) -> tuple[int, int]:
    """First and last address of a network as numbers."""
    base = _MAPPED if network.version == 4 else 0
    return base + int(network[0]), base + int(network[-1])
