"""The table ``inet liandun`` of a packet filter: sets of blocked addresses, and the rules that drop their packets.

Four sets: single addresses (hashed, so many of them cost nothing) and networks, each for IPv4 and IPv6. Every element has a
timeout, so the kernel itself ends a block, also when this platform is gone. Rules stand before the filters of others (priority
-150): a drop is final, whatever they would say.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

import msgspec

from playbooks.actions import nft
from playbooks.actions.contract import ActionError
from playbooks.actions.place import Place
from playbooks.actions.protected import Network

TABLE = "inet liandun"


class Block(msgspec.Struct, frozen=True):
    """A blocked address or network, with the time and the holders of its element."""

    network: Network
    element: nft.Element


def set_of(network: Network) -> str:
    """The name of the set that a network belongs into."""
    return ("blocked" if network.prefixlen == network.max_prefixlen else "networks") + str(network.version)


def blocks(place: Place, network: Network) -> list[Block]:
    """All blocks of the set that ``network`` belongs into. Raises ActionError."""
    found = nft.elements(place, TABLE, set_of(network))
    try:
        return [Block(one, element) for element in found for one in _networks(element.value)]
    except (KeyError, TypeError, ValueError) as error:
        raise ActionError(f"nft listed addresses as nobody understands: {error}", code="NFT_FAILED") from error


def same(network: Network, found: list[Block]) -> Block | None:
    """The block of exactly this network."""
    return next((one for one in found if one.network == network), None)


def foundation() -> Iterator[str]:
    """The table with its rules, as often as it is said."""
    yield f"add table {TABLE}"
    yield f"add counter {TABLE} dropped"
    for version in (4, 6):
        yield f"add set {TABLE} blocked{version} {{ type ipv{version}_addr; flags timeout; }}"
        yield f"add set {TABLE} networks{version} {{ type ipv{version}_addr; flags interval, timeout; }}"
    for chain, sides in (("input", ("saddr",)), ("forward", ("saddr", "daddr")), ("output", ("daddr",))):
        yield f"add chain {TABLE} {chain} {{ type filter hook {chain} priority -150; policy accept; }}"
        yield f"flush chain {TABLE} {chain}"
        if chain != "forward":  # the gateway speaks to itself by its own addresses, whatever is blocked
            yield f"add rule {TABLE} {chain} {'iif' if chain == 'input' else 'oif'} lo accept"
        for version, family in ((4, "ip"), (6, "ip6")):
            for side in sides:
                for kind in ("blocked", "networks"):
                    yield f"add rule {TABLE} {chain} {family} {side} @{kind}{version} counter name dropped drop"


def blocked(network: Network, runs: tuple[str, ...], timeout: int, lasts: int | None = None) -> Iterator[str]:
    """A block with these holders and this time (seconds), in place of the one that may be there."""
    return nft.held(TABLE, set_of(network), _text(network), runs, timeout, lasts)


def unblocked(network: Network) -> Iterator[str]:
    """No such block, whether there is one or not."""
    return nft.released(TABLE, set_of(network), _text(network))


def _text(network: Network) -> str:
    return str(network.network_address if network.prefixlen == network.max_prefixlen else network)


def _networks(value: Any) -> list[Network]:
    """The networks of an element: an address, a prefix, or a range, which somebody else made."""
    if isinstance(value, str):
        return [ipaddress.ip_network(value)]
    if "prefix" in value:
        return [ipaddress.ip_network(f"{value['prefix']['addr']}/{value['prefix']['len']}")]
    first, last = (ipaddress.ip_address(one) for one in value["range"])
    return list(ipaddress.summarize_address_range(first, last))
