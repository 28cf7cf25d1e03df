"""The table ``inet liandun_isolation`` of a host: it speaks to the management and to itself, to nobody else.

Whether it is isolated is an element with a timeout, so the host's kernel ends the isolation. That also makes it safe to begin: the
first element lasts half a minute, and only who can still log in after that makes it last (``host_isolate``). Neighbour discovery
stays, without it IPv6 reaches not even the management. Who is root on the host can end it: a gateway or switch cannot be asked so.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from playbooks.actions import nft
from playbooks.actions.place import Place
from playbooks.actions.protected import Network

TABLE = "inet liandun_isolation"
_SET = "isolated"
_FAMILIES = ("ipv4", "ipv6")


def found(place: Place) -> nft.Element | None:
    """The isolation of a host, the one that ends first; None where there is none. Raises ActionError."""
    elements = [one for one in nft.elements(place, TABLE, _SET) if one.value in _FAMILIES]
    if len(elements) < len(_FAMILIES):
        return None
    return min(elements, key=lambda one: float("inf") if one.lasts is None else one.lasts)


def rules(allowed: Iterable[Network]) -> Iterator[str]:
    """The table anew: what stays allowed, and what is dropped while the set says so. Its elements are not touched."""
    allowed = list(allowed)
    yield f"add table {TABLE}"
    yield f"add counter {TABLE} dropped"
    yield f"add set {TABLE} {_SET} {{ typeof meta nfproto; flags timeout; }}"
    for chain, loop, side in (("input", "iif", "saddr"), ("output", "oif", "daddr"), ("forward", "", "")):
        yield f"add chain {TABLE} {chain} {{ type filter hook {chain} priority -150; policy accept; }}"
        yield f"flush chain {TABLE} {chain}"
        if loop:
            yield f"add rule {TABLE} {chain} {loop} lo accept"
            for network in allowed:
                yield f"add rule {TABLE} {chain} {'ip' if network.version == 4 else 'ip6'} {side} {network} accept"
            yield f"add rule {TABLE} {chain} icmpv6 type {{ nd-neighbor-solicit, nd-neighbor-advert, nd-router-advert }} accept"
        yield f"add rule {TABLE} {chain} meta nfproto @{_SET} counter name dropped drop"


def isolated(runs: tuple[str, ...], timeout: int, lasts: int | None = None) -> Iterator[str]:
    """Isolation with these holders and this time (seconds), in place of the one that may be there."""
    for family in _FAMILIES:
        yield from nft.held(TABLE, _SET, family, runs, timeout, lasts)


def lasting(runs: tuple[str, ...], timeout: int) -> Iterator[str]:
    """Another time for an isolation that is in force; nothing, and an error of nft, where it has ended meanwhile."""
    for family in _FAMILIES:
        yield f"delete element {TABLE} {_SET} {{ {family} }}"
    yield from isolated(runs, timeout)


def released() -> Iterator[str]:
    """No isolation: the whole table goes, whether it is there or not."""
    yield f"add table {TABLE}"
    yield f"delete table {TABLE}"
