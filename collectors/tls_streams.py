"""TCP connections that begin with TLS or TLCP, out of a capture file: both directions' first bytes in order.

Scapy reads the file (pcap, pcapng); the few header fields needed are read here, much faster than by dissection. Bounded: the first
128 KiB of each direction, 50,000 connections at a time, the oldest of which are given out first.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import msgspec
from scapy.error import Scapy_Exception
from scapy.utils import RawPcapReader

from crypto.channel.handshake import looks_like_tls
from kernel.errors import ParseError

STREAM_BYTES = 128 * 1024
MOST_CONNECTIONS = 50_000
_MOST_WAITING = 64
_FIN, _SYN, _RST, _ACK = 0x01, 0x02, 0x04, 0x10
_ETHERNET, _NULL, _RAW, _LOOP, _SLL, _SLL2 = 1, 0, (12, 14, 101, 228, 229), 108, 113, 276
_IPV6_HEADERS = frozenset({0, 43, 60, 135, 139, 140})

End = tuple[str, int]
"""Address and port."""


class Stream(NamedTuple):
    """client and server as (address, port); what each of them sent."""

    client: End
    server: End
    from_client: bytes
    from_server: bytes


class _Segment(NamedTuple):
    source: End
    target: End
    sequence: int
    flags: int
    payload: bytes


class _Direction(msgspec.Struct):
    """Bytes in order, and those that came before their time."""

    base: int | None = None
    data: bytearray = msgspec.field(default_factory=bytearray)
    waiting: dict[int, bytes] = {}

    def add(self, sequence: int, payload: bytes) -> None:
        if self.base is None:
            self.base = sequence
        at = (sequence - self.base) & 0xFFFFFFFF
        if at > 1 << 31:  # before what we know: a repetition
            behind = (1 << 32) - at
            if behind >= len(payload):
                return
            at, payload = 0, payload[behind:]
        if at > len(self.data):
            if at < STREAM_BYTES and len(self.waiting) < _MOST_WAITING:
                self.waiting[at] = max(payload, self.waiting.get(at, b""), key=len)
            return
        self._append(at, payload)
        while self.waiting and (first := min(self.waiting)) <= len(self.data):
            self._append(first, self.waiting.pop(first))

    def _append(self, at: int, payload: bytes) -> None:
        self.data += payload[len(self.data) - at :][: STREAM_BYTES - len(self.data)]


class _Conversation(msgspec.Struct):
    client: End
    server: End
    directions: dict[End, _Direction]


def tls_streams(path: Path) -> Iterator[Stream]:
    """Every TLS or TLCP connection of a capture whose beginning is in it, in the order of their beginnings.

    Raises ParseError where the file is no capture; a capture that is cut off in a packet ends there.
    """
    known: dict[tuple[End, End], _Conversation] = {}
    for segment in _segments(path):
        key = (min(segment.source, segment.target), max(segment.source, segment.target))
        opening = bool(segment.flags & _SYN) and not segment.flags & _ACK
        if opening and key in known:
            yield from _finished(known.pop(key))  # the ports are used again
        conversation = known.get(key)
        if conversation is None:
            if len(known) >= MOST_CONNECTIONS:
                yield from _finished(known.pop(next(iter(known))))
            answer = bool(segment.flags & _SYN) and bool(segment.flags & _ACK)
            client, server = (segment.target, segment.source) if answer else (segment.source, segment.target)
            conversation = known[key] = _Conversation(client, server, {client: _Direction(), server: _Direction()})
        direction = conversation.directions[segment.source]
        if segment.flags & _SYN:
            direction.base = (segment.sequence + 1) & 0xFFFFFFFF
        elif segment.payload:
            direction.add(segment.sequence, segment.payload)
    for conversation in known.values():
        yield from _finished(conversation)


def _finished(conversation: _Conversation) -> Iterator[Stream]:
    first, second = (bytes(conversation.directions[end].data) for end in (conversation.client, conversation.server))
    if not (looks_like_tls(first) or looks_like_tls(second)):
        return
    client, server = conversation.client, conversation.server
    if first[5:6] == b"\x02" or second[5:6] == b"\x01":  # the capture began in the middle: who says ClientHello is the client
        client, server, first, second = server, client, second, first
    yield Stream(client, server, first, second)


def _segments(path: Path) -> Iterator[_Segment]:
    try:
        reader = RawPcapReader(str(path))
    except (Scapy_Exception, OSError, EOFError) as error:
        raise ParseError(f"{path}: {error}", "give a pcap or pcapng file") from error
    with reader:
        while True:
            try:
                packet, metadata = next(reader)
            except (StopIteration, EOFError):
                return
            except (Scapy_Exception, ValueError, struct.error) as error:
                raise ParseError(f"{path}: damaged: {error}") from error
            link = getattr(metadata, "linktype", None)
            segment = _segment(packet, reader.linktype if link is None else link)
            if segment is not None:
                yield segment


def _segment(packet: bytes, link: int) -> _Segment | None:
    network = _network(packet, link)
    if len(network) < 20:
        return None
    version = network[0] >> 4
    if version == 4:
        header, total = (network[0] & 15) * 4, int.from_bytes(network[2:4], "big")
        fragment = int.from_bytes(network[6:8], "big") & 0x3FFF
        if network[9] != 6 or fragment or header < 20:
            return None
        body = network[header : total or None]  # 0: segmentation offload
        source, target = network[12:16], network[16:20]
    elif version == 6 and len(network) >= 40:
        following, at = network[6], 40
        end = 40 + int.from_bytes(network[4:6], "big")
        while following in _IPV6_HEADERS and at + 8 <= len(network):
            following, at = network[at], at + (network[at + 1] + 1) * 8
        if following != 6:
            return None
        body = network[at : end if end > 40 else None]
        source, target = network[8:24], network[24:40]
    else:
        return None
    if len(body) < 20:
        return None
    offset = (body[12] >> 4) * 4
    return _Segment(
        (_text(source), int.from_bytes(body[0:2], "big")),
        (_text(target), int.from_bytes(body[2:4], "big")),
        int.from_bytes(body[4:8], "big"),
        body[13],
        bytes(body[offset:]),
    )


def _network(packet: bytes, link: int) -> bytes:
    """The IP packet in a frame, b"" where there is none."""
    if link == _ETHERNET:
        at, kind = 14, packet[12:14]
        while kind in (b"\x81\x00", b"\x88\xa8", b"\x91\x00"):
            at, kind = at + 4, packet[at + 2 : at + 4]
        return packet[at:] if kind in (b"\x08\x00", b"\x86\xdd") else b""
    if link in _RAW:
        return packet
    return packet[{_NULL: 4, _LOOP: 4, _SLL: 16, _SLL2: 20}.get(link, len(packet)) :]


def _text(address: bytes) -> str:
    return str(ipaddress.ip_address(bytes(address)))
