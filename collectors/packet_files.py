"""Packets of a capture file, one after the other: pcap and pcapng, micro- and nanoseconds, either byte order, plain or gzip.

Formats after draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng. The file may be hostile: a length is never believed beyond
LONGEST_PACKET and LONGEST_BLOCK, so memory stays small, and what is cut off or absurd ends in a ParseError that says where; the
packets before it have been given out. A file that a sensor writes to right now ends in the middle of a packet: that is said too.
"""

from __future__ import annotations

import gzip
import os
import stat
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from kernel.errors import ParseError

LONGEST_PACKET = 1 << 18
"""Octets of one packet: the longest snapshot length that libpcap writes for networks (MAXIMUM_SNAPLEN)."""

LONGEST_BLOCK = 1 << 20
"""Octets of one pcapng block."""

MOST_INTERFACES = 4096
LATEST = (1 << 63) - 1
"""Nanoseconds since the epoch (the year 2262): a later packet, or one before the epoch, is damage."""

_PCAP = {
    b"\xd4\xc3\xb2\xa1": ("<", 1000),
    b"\xa1\xb2\xc3\xd4": (">", 1000),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
    b"\xa1\xb2\x3c\x4d": (">", 1),
}
_PCAPNG = b"\x0a\x0d\x0d\x0a"
_SECTION, _INTERFACE, _OLD_PACKET, _SIMPLE, _ENHANCED = 0x0A0D0D0A, 1, 2, 3, 6
_RESOLUTION, _OFFSET = 9, 14


class CapturedPacket(NamedTuple):
    """One packet.

    time    nanoseconds since the epoch (UTC); 0 where the file says none (simple packet block)
    link    LINKTYPE of its first octet
    data    what was kept of it
    length  octets it had on the wire
    """

    time: int
    link: int
    data: bytes
    length: int


class _Interface(NamedTuple):
    link: int
    per_second: int
    offset: int  # seconds
    snapshot: int


def open_capture(path: Path) -> BinaryIO:
    """The file for reading, decompressed. A link in its place is not followed: a sensor's account owns the folder.

    Raises ParseError where it is no plain file or cannot be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise ParseError(f"{path.name}: cannot be read: {error.strerror}") from error
    file = os.fdopen(descriptor, "rb", buffering=1 << 18)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        file.close()
        raise ParseError(f"{path.name}: is no plain file")
    if file.peek(2)[:2] == b"\x1f\x8b":
        return _Unpacked(fileobj=file, mode="rb")  # type: ignore[return-value]
    return file


class _Unpacked(gzip.GzipFile):
    """gzip that closes the file below it."""

    def close(self) -> None:
        below = self.fileobj
        super().close()
        if below is not None:
            below.close()


def packets_of(file: BinaryIO, name: str) -> Iterator[CapturedPacket]:
    """Packets in the order of the file; ``name`` is for messages. Raises ParseError where it is no capture or ends wrongly."""
    try:
        head = file.read(4)
        if head == _PCAPNG:
            yield from _pcapng(file, name)
        elif head in _PCAP:
            yield from _pcap(file, name, *_PCAP[head])
        else:
            raise ParseError(f"{name}: not a pcap or pcapng capture (first octets {head.hex() or 'none'})")
    except (OSError, EOFError, zlib.error) as error:
        raise ParseError(f"{name}: cannot be read to its end: {error}") from error


def _pcap(file: BinaryIO, name: str, order: str, unit: int) -> Iterator[CapturedPacket]:
    head = file.read(20)
    if len(head) < 20:
        raise ParseError(f"{name}: cut off in its first header")
    link = struct.unpack(order + "HHiIII", head)[5] & 0x03FFFFFF  # the upper bits tell of frame check sequences
    record = struct.Struct(order + "IIII")
    number = 0
    while head := file.read(16):
        number += 1
        if len(head) < 16:
            raise ParseError(f"{name}: cut off in the header of packet {number}")
        seconds, fraction, kept, length = record.unpack(head)
        if kept > LONGEST_PACKET:
            raise ParseError(f"{name}: packet {number} claims {kept} octets: damaged from here on")
        data = file.read(kept)
        if len(data) < kept:
            raise ParseError(f"{name}: cut off in packet {number}")
        yield CapturedPacket(seconds * 1_000_000_000 + fraction * unit, link, data, length)


def _pcapng(file: BinaryIO, name: str) -> Iterator[CapturedPacket]:
    order = _section(file, name)
    interfaces: list[_Interface] = []
    number = 0
    while head := file.read(4):
        if head == _PCAPNG:
            order, interfaces = _section(file, name), []
            continue
        number += 1
        head += file.read(4)
        if len(head) < 8:
            raise ParseError(f"{name}: cut off in the header of block {number}")
        kind, length = struct.unpack(order + "II", head)
        if not 12 <= length <= LONGEST_BLOCK or length % 4:
            raise ParseError(f"{name}: block {number} claims {length} octets: damaged from here on")
        body = file.read(length - 8)
        if len(body) < length - 8:
            raise ParseError(f"{name}: cut off in block {number}")
        if struct.unpack(order + "I", body[-4:])[0] != length:
            raise ParseError(f"{name}: block {number} has two different lengths: damaged from here on")
        try:
            if kind == _INTERFACE:
                if len(interfaces) >= MOST_INTERFACES:
                    raise ParseError(f"{name}: more than {MOST_INTERFACES} interfaces")
                interfaces.append(_interface(body[:-4], order))
            elif kind in (_ENHANCED, _OLD_PACKET, _SIMPLE):
                yield _packet(kind, body[:-4], order, interfaces)
        except (struct.error, IndexError, ValueError) as error:
            raise ParseError(f"{name}: block {number} makes no sense: damaged from here on") from error


def _section(file: BinaryIO, name: str) -> str:
    """Read a section header behind its first four octets; returns the byte order."""
    head = file.read(8)
    order = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}.get(head[4:])
    if order is None:
        raise ParseError(f"{name}: its section header makes no sense")
    length = struct.unpack(order + "I", head[:4])[0]
    if not 28 <= length <= LONGEST_BLOCK or length % 4:
        raise ParseError(f"{name}: its section header claims {length} octets")
    if len(file.read(length - 12)) < length - 12:
        raise ParseError(f"{name}: cut off in its section header")
    return order


def _interface(body: bytes, order: str) -> _Interface:
    link, _reserved, snapshot = struct.unpack_from(order + "HHI", body)
    per_second, offset, at = 1_000_000, 0, 8
    while at + 4 <= len(body):
        code, length = struct.unpack_from(order + "HH", body, at)
        value = body[at + 4 : at + 4 + length]
        if code == 0 or len(value) < length:
            break
        if code == _RESOLUTION and length == 1:
            per_second = (2 if value[0] & 128 else 10) ** (value[0] & 127)
        elif code == _OFFSET and length == 8:
            offset = struct.unpack(order + "q", value)[0]
        at += 4 + length + (-length % 4)
    return _Interface(link, per_second, offset, snapshot)


def _packet(kind: int, body: bytes, order: str, interfaces: list[_Interface]) -> CapturedPacket:
    if kind == _SIMPLE:
        interface = interfaces[0]
        (length,) = struct.unpack_from(order + "I", body)
        kept = min(length, len(body) - 4, interface.snapshot or length)
        return CapturedPacket(0, interface.link, body[4 : 4 + kept], length)
    if kind == _ENHANCED:
        number, high, low, kept, length = struct.unpack_from(order + "IIIII", body)
    else:
        number, _drops, high, low, kept, length = struct.unpack_from(order + "HHIIII", body)
    data = body[20 : 20 + kept]
    if len(data) < kept:
        raise ValueError("longer than its block")
    interface = interfaces[number]
    ticks = (high << 32 | low) * 1_000_000_000 // interface.per_second
    moment = ticks + interface.offset * 1_000_000_000
    if not 0 <= moment <= LATEST:
        raise ValueError("at no time that there is")
    return CapturedPacket(moment, interface.link, data, length)
