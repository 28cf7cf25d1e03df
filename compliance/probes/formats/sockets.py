"""Listening sockets out of /proc/net/{tcp,tcp6,udp,udp6} (proc(5)); ss(8) would load kernel modules to answer."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping

import msgspec

from compliance.probes.facts import Unreadable

_LINE = re.compile(r"\s*\d+: ([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} ([0-9A-F]{2}) ")
_LISTEN, _UNCONNECTED = "0A", "07"


class Listening(msgspec.Struct, frozen=True, order=True):
    """``address``: 0.0.0.0 and :: are all of the host's."""

    protocol: str
    port: int
    address: str

    @property
    def is_reachable(self) -> bool:
        """Whether others than the host itself may speak to it."""
        return not ipaddress.ip_address(self.address).is_loopback

    def shown(self) -> str:
        """For people."""
        return f"{self.protocol}/{self.port} {self.address}"


def listening(files: Mapping[str, str]) -> list[Listening]:
    """Sorted, each once. Raises Unreadable where the kernel's tables are not there."""
    if not any(path.endswith("/tcp") for path in files):
        raise Unreadable("there is no /proc/net/tcp", "没有 /proc/net/tcp")
    found = set()
    for path, text in files.items():
        if "local_address" not in text:
            raise Unreadable(f"{path} is no table of sockets", f"{path} 不是套接字表")
        protocol = path.rpartition("/")[2].removesuffix("6")
        state = _LISTEN if protocol == "tcp" else _UNCONNECTED
        for match in _LINE.finditer(text):
            if match[3] == state:
                found.add(Listening(protocol, int(match[2], 16), _address(match[1])))
    return sorted(found)


def _address(digits: str) -> str:
    """Each group of four octets stands as the (little-endian) processor has it."""
    octets = bytes.fromhex(digits)
    turned = b"".join(octets[at : at + 4][::-1] for at in range(0, len(octets), 4))
    found = ipaddress.ip_address(turned)
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return str(mapped or found)
