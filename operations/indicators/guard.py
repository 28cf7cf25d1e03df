"""What must never be watched for, because it would ring for everybody: the city's own, what means nothing, what everybody uses."""

from __future__ import annotations

import ipaddress
import re
from bisect import bisect_right
from collections.abc import Iterable
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from kernel.indicators.values import Value
from kernel.zones.addresses import Network, bounds
from operations.assets.models import AssetMark
from operations.zones.service import zone_table

WIDEST = {4: 16, 6: 32}
"""Shortest prefix of a network that is taken: wider ones hold whole providers."""

# private, shared, loopback, link-local, multicast, reserved, unspecified (RFC 6890); those for documentation do no harm
_NOBODY: tuple[Network, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"),
        *("224.0.0.0/4", "240.0.0.0/4", "::/127", "fc00::/7", "fe80::/10", "ff00::/8"),
    )
)
_RESOLVERS = frozenset(
    {
        *("1.1.1.1", "1.0.0.1", "8.8.8.8", "8.8.4.4", "9.9.9.9", "149.112.112.112", "208.67.222.222", "208.67.220.220"),
        *("114.114.114.114", "114.114.115.115", "119.29.29.29", "180.76.76.76", "223.5.5.5", "223.6.6.6", "101.226.4.6"),
        *("2606:4700:4700::1111", "2606:4700:4700::1001", "2001:4860:4860::8888", "2001:4860:4860::8844", "2620:fe::fe"),
        *("2400:3200::1", "2400:3200:baba::1", "2402:4e00::", "240c::6666", "240c::6644"),
    }
)
"""Public resolvers of DNS: every machine of a city may ask them."""
_EMPTY = frozenset(
    {
        "d41d8cd98f00b204e9800998ecf8427e",
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b",
    }
)
"""MD5, SHA-1, SHA-256 and SM3 of nothing: every empty file has them."""
_SUFFIX = re.compile(r"(?:com|net|org|gov|edu|ac|co|mil)\.[a-z]{2}")
"""Under these anybody, or everybody of a country, registers names."""


class _Spans:
    """Networks as intervals in order; looks whether another one touches them."""

    def __init__(self, networks: Iterable[Network]) -> None:
        self._lows: list[int] = []
        self._highs: list[int] = []
        for low, high in sorted(map(bounds, networks)):
            if self._highs and low <= self._highs[-1]:
                self._highs[-1] = max(self._highs[-1], high)
            else:
                self._lows.append(low)
                self._highs.append(high)

    def touch(self, low: int, high: int) -> bool:
        place = bisect_right(self._lows, high) - 1
        return place >= 0 and self._highs[place] >= low


class Guard:
    """Looks at the zone plan and the inventory once, then judges any number of values."""

    def __init__(self, session: Session) -> None:
        zones = zone_table(session).zones.values()
        self._ours = _Spans(ipaddress.ip_network(text, strict=False) for zone in zones for text in zone.ranges)
        self._nobody = _Spans(_NOBODY)
        self._names: set[str] = set()
        for name in session.execute(select(AssetMark.value).where(AssetMark.kind == "name")).scalars():
            labels = name.split(".")
            self._names.update(".".join(labels[place:]) for place in range(len(labels)))

    def objection(self, value: Value) -> str:
        """Why this value is not watched for, "" where it may be."""
        kind, text = value
        if kind in ("address", "network"):
            return self._network(text)
        if kind == "domain":
            return self._domain(text)
        if kind == "hash" and text in _EMPTY:
            return "every empty file has this hash"
        if kind == "url":
            host = urlsplit(text).hostname or ""
            try:
                return self._network(host)
            except ValueError:
                return self._domain(host)
        if kind == "email":
            return self._domain(text.rpartition("@")[2]) and "the sender is of the city itself"
        return ""

    def _network(self, text: str) -> str:
        network = ipaddress.ip_network(text)
        if network.prefixlen < WIDEST[network.version]:
            return f"a network wider than /{WIDEST[network.version]} holds whole providers"
        low, high = bounds(network)
        if self._nobody.touch(low, high):
            return "such addresses name nobody in particular (private, loopback, multicast …)"
        if self._ours.touch(low, high):
            return "it is an address of the city's own zones"
        return "it is a public resolver that every device may ask" if text in _RESOLVERS else ""

    def _domain(self, text: str) -> str:
        tree = text.startswith("*.")
        name = text.removeprefix("*.")
        if tree and _SUFFIX.fullmatch(name):
            return "under this name anybody registers names"
        return "a device of the city has this name" if name in self._names else ""
