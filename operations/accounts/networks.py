"""Where somebody may come from: lists of IPv4 and IPv6 networks."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from operations.errors import Invalid

MOST = 64


def inside(address: str, networks: Iterable[str]) -> bool:
    """True where one of the networks holds the address; an IPv4 address may be written as IPv6 (::ffff:192.0.2.1)."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return any(parsed in network or (mapped is not None and mapped in network) for network in map(ipaddress.ip_network, networks))


def within(networks: Iterable[str], allowed: Iterable[str]) -> bool:
    """True where each of ``networks`` lies in one of ``allowed``."""
    whole = [ipaddress.ip_network(text) for text in allowed]
    return all(
        any(part.version == one.version and part.subnet_of(one) for one in whole)  # type: ignore[arg-type]
        for part in map(ipaddress.ip_network, networks)
    )


def read_networks(texts: Iterable[str], field: str) -> list[str]:
    """Networks as people write them (an address alone stands for itself), in their normal form. Raises Invalid."""
    found = []
    for text in texts:
        try:
            found.append(str(ipaddress.ip_network(text.strip())))
        except ValueError as error:
            raise Invalid(f"{text.strip()!r} is no network", "write e.g. 10.1.0.0/16, 192.0.2.7 or 2001:db8::/32", field) from error
    if len(found) > MOST:
        raise Invalid(f"at most {MOST} networks", field=field)
    return list(dict.fromkeys(found))
