"""The table ``inet liandun`` of a packet filter (nft(8)): sets of blocked addresses, and the rules that drop their packets.

Four sets: single addresses (hashed, so many of them cost nothing) and networks, each for IPv4 and IPv6. Every element has a
timeout, so the kernel itself ends a block, also when this platform is gone. Its comment names the runs that hold it:
``liandun 12 15``.
Rules stand before the filters of others (priority -150): a drop is final, whatever they would say. Everything a command does is one
transaction of nft: it happens as a whole or not at all.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any

import msgspec

from playbooks.actions.contract import ActionError
from playbooks.actions.place import Place
from playbooks.actions.protected import Network

NFT = "/usr/sbin/nft"
TABLE = "inet liandun"
_MOST = 33_554_432
"""Bytes of a listed set: a quarter of a million blocked addresses."""
_MARK = "liandun"
_OTHERS = "0"
"""Stands for whoever blocked an address without saying what run it was."""
_MOST_HOLDERS = 6


class Element(msgspec.Struct, frozen=True):
    """A blocked address or network. ``lasts``: seconds that are left of ``timeout``, None for ever. ``runs`` hold it."""

    network: Network
    timeout: int | None
    lasts: int | None
    runs: tuple[str, ...]


def set_of(network: Network) -> str:
    """The name of the set that a network belongs into."""
    return ("blocked" if network.prefixlen == network.max_prefixlen else "networks") + str(network.version)


def elements(place: Place, name: str) -> list[Element]:
    """What a set holds now; nothing where it is not there yet. Raises ActionError."""
    finished = place.run([NFT, "-j", "list", "set", *TABLE.split(), name], most=_MOST)
    if finished.code != 0 and b"No such file or directory" in finished.errors:
        return []
    if finished.code != 0:
        raise ActionError(f"nft: {finished.said()}", code="NFT_FAILED")
    try:
        return list(_read(msgspec.json.decode(finished.output), name))
    except (msgspec.DecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ActionError(f"nft listed {name} as nobody understands: {error}", code="NFT_FAILED") from error


def apply(place: Place, lines: list[str]) -> None:
    """Carry commands of nft out, all or none of them. Raises ActionError."""
    finished = place.run([NFT, "-f", "-"], stdin="".join(f"{line}\n" for line in lines).encode("ascii"))
    if finished.code != 0:
        raise ActionError(f"nft: {finished.said()}", code="NFT_FAILED")


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
        for version, family in ((4, "ip"), (6, "ip6")):
            for side in sides:
                for kind in ("blocked", "networks"):
                    yield f"add rule {TABLE} {chain} {family} {side} @{kind}{version} counter name dropped drop"


def held(network: Network, runs: tuple[str, ...], timeout: int, lasts: int | None = None) -> Iterator[str]:
    """An element with these holders and this time, in place of the one that may be there."""
    comment = " ".join((_MARK, *runs[-_MOST_HOLDERS:]))
    time = f"timeout {timeout}s" if lasts is None else f"timeout {timeout}s expires {max(1, lasts)}s"
    yield from released(network)
    yield f'add element {TABLE} {set_of(network)} {{ {_text(network)} {time} comment "{comment}" }}'


def released(network: Network) -> Iterator[str]:
    """No such element, whether there is one or not: what is added first can be deleted."""
    yield f"add element {TABLE} {set_of(network)} {{ {_text(network)} }}"
    yield f"delete element {TABLE} {set_of(network)} {{ {_text(network)} }}"


def _text(network: Network) -> str:
    return str(network.network_address if network.prefixlen == network.max_prefixlen else network)


def _read(listed: Any, name: str) -> Iterator[Element]:
    for one in listed["nftables"]:
        if one.get("set", {}).get("name") != name:
            continue
        for entry in one["set"].get("elem", ()):
            inner = entry["elem"] if isinstance(entry, dict) and "elem" in entry else {"val": entry}
            yield from (
                Element(network, inner.get("timeout"), inner.get("expires"), _runs(inner.get("comment", "")))
                for network in _networks(inner["val"])
            )


def _networks(value: Any) -> list[Network]:
    """The networks of an element: an address, a prefix, or a range, which somebody else made."""
    if isinstance(value, str):
        return [ipaddress.ip_network(value)]
    if "prefix" in value:
        return [ipaddress.ip_network(f"{value['prefix']['addr']}/{value['prefix']['len']}")]
    first, last = (ipaddress.ip_address(one) for one in value["range"])
    return list(ipaddress.summarize_address_range(first, last))


def _runs(comment: str) -> tuple[str, ...]:
    mark, *runs = comment.split() or [""]
    return tuple(runs) if mark == _MARK and runs else (_OTHERS,)
