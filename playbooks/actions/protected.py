"""What is never blocked: addresses without which a network, or we ourselves, cannot work.

An attacker who can choose the source of packets (UDP, a spoofed SYN) chooses whom a careless platform blocks: the resolver, the
gateway, the city's own management network. So a block is refused for whatever overlaps what stands here.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import TypeAlias

from kernel.zones.addresses import MAPPED_NETWORK, NAT64_NETWORK, bounds, plain_network
from playbooks.actions.contract import ActionError

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

WIDEST = {4: 24, 6: 48}
"""Shortest prefix that is blocked: a wider network is a decision for people, at the firewall."""


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Networks (or single addresses), those of IPv4-mapped addresses as IPv4. Raises ValueError."""
    return tuple(plain_network(text, strict=False) for text in texts)


ALWAYS = networks(("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3", "::/127", "fe80::/10", "ff00::/8"))
"""This host, loopback, link-local (neighbour discovery of IPv6 lives there), multicast and broadcast."""


def blockable(text: str) -> Network:
    """The address or network that a command names, as it is blocked. Raises ActionError(COMMAND_WRONG or NOT_ALLOWED).

    An IPv4 address within an IPv6 one (``::ffff:203.0.113.7``) is that IPv4 address: nothing else would stop its packets. A network
    of IPv6 that has all of these within is as wide as IPv4 is.
    """
    try:
        found = plain_network(text.strip(), strict=False)
    except ValueError as error:
        raise ActionError(f"{text[:80]!r} is no address or network", code="COMMAND_WRONG") from error
    if found.version == 6 and "%" in text:
        raise ActionError("an address with a zone means something on one host only", code="COMMAND_WRONG")
    if isinstance(found, ipaddress.IPv6Network) and found.overlaps(MAPPED_NETWORK):
        raise ActionError(f"{found} has all of IPv4 within: no machine blocks so much", "block it by hand", code="NOT_ALLOWED")
    if found.prefixlen < WIDEST[found.version]:
        raise ActionError(
            f"{found} is wider than /{WIDEST[found.version]}: no machine blocks so much", "block it by hand", code="NOT_ALLOWED"
        )
    return found


def refuse_protected(wanted: Network, protected: Iterable[Network], why: str = "") -> None:
    """Raises ActionError(NOT_ALLOWED) where ``wanted`` overlaps a protected network, whichever way either is written: mapped
    addresses, and those that a translator makes of IPv4 ones (RFC 6052), are the IPv4 addresses within."""
    for one in (*ALWAYS, *protected):
        if overlap(one, wanted):
            reason = why or "[playbooks] protected_networks and docs/playbooks.md say what is never blocked"
            raise ActionError(f"{wanted} is protected ({one})", reason, code="NOT_ALLOWED")


def overlap(one: Network, other: Network) -> bool:
    """Whether two networks have an address in common, IPv4 within IPv6 counted as IPv4."""
    return any(low <= last and first <= high for first, last in _spans(one) for low, high in _spans(other))


def _spans(network: Network) -> list[tuple[int, int]]:
    """What a network covers, as numbers in which IPv4 has its mapped form."""
    found = [bounds(network)]
    if isinstance(network, ipaddress.IPv6Network) and network.overlaps(NAT64_NETWORK):
        first, last = max(found[0][0], int(NAT64_NETWORK[0])), min(found[0][1], int(NAT64_NETWORK[-1]))
        shift = int(MAPPED_NETWORK[0]) - int(NAT64_NETWORK[0])
        found.append((first + shift, last + shift))
    return found
