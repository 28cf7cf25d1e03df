"""Whether a packet belongs to a conversation: addresses, protocol and ports out of its headers, and nothing deeper.

Understood below IP: Ethernet with any number of VLAN tags (IEEE 802.1Q, 802.1ad), MPLS, PPPoE, Linux cooked captures, loopback, raw
IP. Inside: IPv4, IPv6 with its extension headers (RFC 8200), IP in IP, 6in4, GRE and VXLAN, as Suricata looks through them; and
the packet that an ICMP error quotes (RFC 792, RFC 4443). A later fragment has no ports: it is told as a fragment, and belongs to
what its first one belongs to (:mod:`collectors.packet_slice`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

ETHERNET, RAW = 1, 101
_NULL, _LOOP, _RAWS, _SLL, _SLL2 = 0, 108, (12, 14, 101, 228, 229), 113, 276
_VLANS = (0x8100, 0x88A8, 0x9100, 0x9200)
_IPV4, _IPV6, _MPLS, _PPPOE, _TEB = 0x0800, 0x86DD, (0x8847, 0x8848), 0x8864, 0x6558
_EXTENSIONS = frozenset({0, 43, 60, 135, 139, 140})
_WITH_PORTS = frozenset({6, 17, 33, 132, 136})  # TCP, UDP, DCCP, SCTP, UDP-Lite
_FRAGMENT, _AUTHENTICATION, _ICMP, _ICMPV6, _GRE, _UDP = 44, 51, 1, 58, 47, 17
_ICMP_ERRORS = frozenset({3, 4, 5, 11, 12})
_VXLAN_PORT = 4789
_DEEPEST = 4
_MOST_HEADERS = 16

PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17, "dccp": 33, "gre": 47, "ipv6-icmp": 58, "sctp": 132, "udplite": 136}
"""``network.transport`` → IANA number."""


class Headers(NamedTuple):
    """One IP packet, or one that is quoted or carried within.

    source, target  4 or 16 octets
    ports           of source and target; None where the protocol has none or the packet does not tell
    fragment        what the fragments of one packet have in common, None where it is whole
    first           False for a fragment without the beginning, which tells no ports
    """

    source: bytes
    target: bytes
    protocol: int
    ports: tuple[int, int] | None
    fragment: tuple[bytes, bytes, int, int] | None = None
    first: bool = True


def network_offset(data: bytes, link: int) -> int | None:
    """Where the IP header begins; None where there is none."""
    if link in _RAWS:
        return 0
    if link == ETHERNET:
        return _behind(data, 12)
    if link == _SLL:
        return _behind(data, 14)
    if link == _SLL2:
        return 20 if int.from_bytes(data[0:2], "big") in (_IPV4, _IPV6) else None
    if link in (_NULL, _LOOP):
        return 4
    return None


def headers_of(data: bytes, link: int) -> Iterator[Headers]:
    """The packet itself, then what it carries or quotes."""
    at = network_offset(data, link)
    if at is not None:
        yield from _network(data, at, 0)


def _behind(data: bytes, at: int) -> int | None:
    """Offset of the IP header behind the type field at ``at``."""
    for _tag in range(_MOST_HEADERS):
        kind = int.from_bytes(data[at : at + 2], "big")
        at += 2
        if kind in (_IPV4, _IPV6):
            return at
        if kind in _VLANS:
            at += 2
        elif kind in _MPLS:
            while at + 4 <= len(data) and not data[at + 2] & 1:  # not the bottom of the stack
                at += 4
            return at + 4
        elif kind == _PPPOE:
            return at + 8
        else:
            return None
    return None


def _network(data: bytes, at: int, depth: int, quoted: bool = False) -> Iterator[Headers]:
    if depth > _DEEPEST or at >= len(data):
        return
    version = data[at] >> 4
    if version == 4:
        yield from _ipv4(data, at, depth, quoted)
    elif version == 6:
        yield from _ipv6(data, at, depth, quoted)


def _ipv4(data: bytes, at: int, depth: int, quoted: bool) -> Iterator[Headers]:
    if len(data) < at + 20:
        return
    source, target, protocol = data[at + 12 : at + 16], data[at + 16 : at + 20], data[at + 9]
    mark = int.from_bytes(data[at + 6 : at + 8], "big")
    fragment = None
    if mark & 0x3FFF:  # more to come, or not the beginning
        fragment = (source, target, protocol, int.from_bytes(data[at + 4 : at + 6], "big"))
    body = at + max(20, (data[at] & 15) * 4)
    yield from _transport(data, body, depth, quoted, Headers(source, target, protocol, None, fragment, not mark & 0x1FFF))


def _ipv6(data: bytes, at: int, depth: int, quoted: bool) -> Iterator[Headers]:
    if len(data) < at + 40:
        return
    source, target, following = data[at + 8 : at + 24], data[at + 24 : at + 40], data[at + 6]
    fragment, first, at = None, True, at + 40
    for _header in range(_MOST_HEADERS):
        if len(data) < at + 8:
            break
        if following in _EXTENSIONS:
            following, at = data[at], at + (data[at + 1] + 1) * 8
        elif following == _AUTHENTICATION:
            following, at = data[at], at + (data[at + 1] + 2) * 4
        elif following == _FRAGMENT:
            mark = int.from_bytes(data[at + 2 : at + 4], "big")
            if mark & 0xFFF9:  # else an atomic fragment (RFC 6946): whole
                fragment = (source, target, 0, int.from_bytes(data[at + 4 : at + 8], "big"))
            first = not mark & 0xFFF8
            following, at = data[at], at + 8
            if not first:
                break
        else:
            break
    yield from _transport(data, at, depth, quoted, Headers(source, target, following, None, fragment, first))


def _transport(data: bytes, at: int, depth: int, quoted: bool, found: Headers) -> Iterator[Headers]:
    protocol = found.protocol
    if not found.first:
        yield found
        return
    if protocol in _WITH_PORTS and len(data) >= at + 4:
        ports = (int.from_bytes(data[at : at + 2], "big"), int.from_bytes(data[at + 2 : at + 4], "big"))
        yield found._replace(ports=ports)
        if protocol == _UDP and ports[1] == _VXLAN_PORT and not quoted:
            yield from _inner(data, _behind(data, at + 28), depth)  # UDP 8, VXLAN 8, two addresses 12
        return
    yield found
    if quoted:
        return
    if protocol in (4, 41):
        yield from _network(data, at, depth + 1)
    elif protocol == _GRE:
        yield from _inner(data, _behind_gre(data, at), depth)
    elif (protocol == _ICMP and data[at : at + 1] and data[at] in _ICMP_ERRORS) or (
        protocol == _ICMPV6 and data[at : at + 1] and 1 <= data[at] <= 4
    ):
        yield from _network(data, at + 8, depth + 1, quoted=True)


def _inner(data: bytes, at: int | None, depth: int) -> Iterator[Headers]:
    if at is not None:
        yield from _network(data, at, depth + 1)


def _behind_gre(data: bytes, at: int) -> int | None:
    if len(data) < at + 4 or data[at + 1] & 7:  # version 0 only (RFC 2784, RFC 2890)
        return None
    flags, kind = data[at], int.from_bytes(data[at + 2 : at + 4], "big")
    at += 4 + 4 * sum(bool(flags & bit) for bit in (0x80, 0x20, 0x10))
    if kind in (_IPV4, _IPV6):
        return at
    return _behind(data, at + 12) if kind == _TEB else None
