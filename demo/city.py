"""The city of Lanting (兰亭市), which does not exist: what a machine of it is, and short ways to all of them.

Addresses come from private ranges and from the documentation ranges of RFC 5737 (192.0.2.0/24, 198.51.100.0/24, 203.0.113.0/24)
and RFC 3849 (2001:db8::/32), names from the reserved domain ``.example`` (RFC 2606), hardware addresses are locally administered
(IEEE 802c), and 99 begins no administrative division, so nothing of the demo points to a real host, place or camera.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

NAME = "兰亭市"
DOMAIN = "lanting.example"
WINDOWS_DOMAIN = "LANTING"
GB_DOMAIN = "9901010000"
"""SIP domain of the video network (GB/T 28181-2022 §E: the first ten digits of the ids in it)."""


class Host(msgspec.Struct, frozen=True):
    """One machine. ``kind`` is what it is (workstation, dc, file, web, db, plc, camera, firewall, …), ``title`` its Chinese name.

    ``user`` is who works at it, ``gb_id`` the 20 digits of a video device (GB/T 28181-2022 annex E).
    """

    name: str
    ip: str
    kind: str
    zone: str
    bureau: str
    mac: str
    title: str = ""
    ip6: str = ""
    user: str = ""
    importance: int = 2
    gb_id: str = ""

    @property
    def fqdn(self) -> str:
        return f"{self.name.lower()}.{DOMAIN}"

    def address(self, ip6: bool) -> str:
        """Its IPv6 address if ``ip6`` is wanted and there is one, else its IPv4 address."""
        return self.ip6 if ip6 and self.ip6 else self.ip


class City:
    """All hosts in the order of the estate."""

    def __init__(self, hosts: Iterable[Host]) -> None:
        self.hosts = tuple(hosts)
        self._by_name = {host.name: host for host in self.hosts}
        self._kinds: dict[tuple[str, ...], tuple[Host, ...]] = {}
        self._zones: dict[tuple[str, ...], tuple[Host, ...]] = {}

    def of(self, *kinds: str) -> tuple[Host, ...]:
        """Hosts of these kinds."""
        if kinds not in self._kinds:
            self._kinds[kinds] = tuple(host for host in self.hosts if host.kind in kinds)
        return self._kinds[kinds]

    def within(self, zone: str, *kinds: str) -> tuple[Host, ...]:
        """Hosts of a zone, of these kinds (none given: of every kind)."""
        key = (zone, *kinds)
        if key not in self._zones:
            self._zones[key] = tuple(host for host in self.hosts if host.zone == zone and (not kinds or host.kind in kinds))
        return self._zones[key]

    def named(self, name: str) -> Host:
        """The host called ``name``; KeyError if there is none."""
        return self._by_name[name]
