"""The packets of one conversation out of capture files: both directions, in a span of time, as one classic pcap.

With it come the fragments of its packets, ICMP errors that quote it, and what VLANs and tunnels carry of it
(collectors/packet_headers.py).
Bounded in files, octets, packets and seconds, and it says when a bound cut something off. Files are read as streams; those whose
times cannot match are passed over. A capture that is damaged is told in ``problems`` and gives what stood before the damage.
"""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Iterable, Sequence
from ipaddress import ip_address
from pathlib import Path

import msgspec

from collectors.packet_files import CapturedPacket, open_capture, packets_of
from collectors.packet_headers import PROTOCOLS, RAW, Headers, headers_of, network_offset
from kernel.errors import ParseError

SECOND = 1_000_000_000
SUFFIXES = (".pcap", ".pcapng", ".cap", ".pcap.gz", ".pcapng.gz")
DISORDER = 300 * SECOND
"""A file's first packet may be so much younger than its oldest: Suricata writes what came before an alert when the alert comes."""

_MOST_WAITING = 4096
"""Later fragments that are held until their first one is seen."""

_MOST_PROBLEMS = 20


FileTimes = dict[str, tuple[int, int]]
"""State of a file (device, inode, size, time of change) → the earliest and the latest time of its packets."""


class Conversation(msgspec.Struct, frozen=True):
    """Between whom. ``protocol`` is ``network.transport`` ("" = any); a port of 0 stands for any."""

    source: str
    target: str
    source_port: int = 0
    target_port: int = 0
    protocol: str = ""


class Span(msgspec.Struct, frozen=True):
    """From ``start`` to ``end``, nanoseconds since the epoch (UTC), both included."""

    start: int
    end: int


class CapturePlace(msgspec.Struct, frozen=True):
    """Where captures lie.

    folder  is not looked through deeper
    prefix  of the names of a sensor's own ring (``packets.pcap.``); "" = files with the suffixes of captures
    """

    folder: str
    prefix: str = ""


class SliceLimits(msgspec.Struct, frozen=True):
    """Bounds of one slice.

    files    capture files that are read
    read     octets that are read of them, after decompression
    packets  of the slice
    octets   of the slice
    seconds  wall clock
    """

    files: int = 256
    read: int = 4 << 30
    packets: int = 50_000
    octets: int = 24 << 20
    seconds: float = 20.0


class Slice(msgspec.Struct):
    """What was found.

    packets      in it; octets: of the pcap; first, last: nanoseconds since the epoch, 0 without a packet
    files        read; passed: passed over because their times cannot match
    cut          what ended the search before its end, one of CUTS, "" = nothing
    raw          True where captures of different kinds made it lose the layer below IP
    problems     damaged captures, one line each
    times        first and last time of every file that is known to its end by now, for the next search
    pcap         the file (nanoseconds where a capture has them), "" octets without a packet
    """

    packets: int = 0
    octets: int = 0
    first: int = 0
    last: int = 0
    files: int = 0
    passed: int = 0
    cut: str = ""
    raw: bool = False
    problems: list[str] = []
    times: FileTimes = {}
    pcap: bytes = b""


CUTS = ("files", "read", "packets", "octets", "seconds")


def slice_packets(
    places: Sequence[CapturePlace],
    conversation: Conversation,
    span: Span,
    limits: SliceLimits | None = None,
    known: FileTimes | None = None,
) -> Slice:
    """The slice. ``known``: ``times`` of an earlier one, which spare reading. Raises ParseError for an address that is none."""
    known = known or {}
    search = _Search(_Matcher(conversation), span, limits or SliceLimits())
    for path, state in _candidates(places, span, search.found, known, search.deadline):
        if search.found.cut or not search.read(path, state):
            break
    return search.finish()


class _Matcher:
    """Asks each packet whether it belongs to the conversation."""

    def __init__(self, conversation: Conversation) -> None:
        try:
            ends = [ip_address(text.partition("%")[0]).packed for text in (conversation.source, conversation.target)]
        except ValueError as error:
            raise ParseError(f"no conversation: {error}") from error
        self.source, self.target = ends
        name = conversation.protocol.lower()
        self._protocol = PROTOCOLS.get(name, int(name) if name.isascii() and name.isdecimal() and len(name) < 4 else -1)
        told = (conversation.source_port, conversation.target_port)
        self._ports = (0, 0) if self._protocol in (PROTOCOLS["icmp"], PROTOCOLS["ipv6-icmp"]) else told  # ICMP: types, not ports

    def __call__(self, packet: CapturedPacket) -> Headers | None:
        """The headers that match; a later fragment between the two ends matches for now."""
        data = packet.data
        if self.source not in data or self.target not in data:  # fast, and true of whatever carries or quotes it
            return None
        for headers in headers_of(data, packet.link):
            if self._matches(headers):
                return headers
        return None

    def _matches(self, headers: Headers) -> bool:
        there = headers.source == self.source and headers.target == self.target
        back = headers.source == self.target and headers.target == self.source
        if not (there or back):
            return False
        if not headers.first:
            return True
        if self._protocol not in (-1, headers.protocol):
            return False
        if self._ports == (0, 0):
            return True
        if headers.ports is None:
            return False
        return (there and self._are(headers.ports)) or (back and self._are(headers.ports[::-1]))

    def _are(self, ports: tuple[int, ...]) -> bool:
        return all(wanted in (0, port) for wanted, port in zip(self._ports, ports, strict=True))


class _Search:
    def __init__(self, matcher: _Matcher, span: Span, limits: SliceLimits) -> None:
        self.found = Slice()
        self._matcher = matcher
        self._span = span
        self._limits = limits
        self.deadline = time.monotonic() + limits.seconds
        self._left = limits.read
        self._room = limits.octets
        self._kept: dict[tuple[int, bytes], CapturedPacket] = {}
        self._whole: set[tuple[bytes, bytes, int, int]] = set()
        self._waiting: dict[tuple[bytes, bytes, int, int], list[CapturedPacket]] = {}
        self._held = 0

    def read(self, path: Path, state: str) -> bool:
        """One file; False when a bound is reached."""
        if self.found.files >= self._limits.files:
            self.found.cut = "files"
            return False
        self.found.files += 1
        # fragments of one packet lie in one file: identifiers are used again
        self._whole.clear()
        self._waiting.clear()
        self._held = 0
        try:
            with open_capture(path) as file:
                times = self._read(packets_of(file, path.name))
            if times is not None:
                self.found.times[state] = times
        except ParseError as error:
            if len(self.found.problems) < _MOST_PROBLEMS:
                self.found.problems.append(error.message)
        return not self.found.cut

    def _read(self, packets: Iterable[CapturedPacket]) -> tuple[int, int] | None:
        """Earliest and latest time of the file; None where it was not read to its end."""
        earliest, latest, number = 1 << 63, 0, 0
        start, end = self._span.start, self._span.end
        for number, packet in enumerate(packets, 1):
            moment = packet.time
            if moment < earliest:
                earliest = moment
            if moment > latest:
                latest = moment
            self._left -= len(packet.data) + 16
            if self._left < 0:
                self.found.cut = "read"
            elif not number % 4096 and time.monotonic() > self.deadline:
                self.found.cut = "seconds"
            elif start <= moment <= end and (headers := self._matcher(packet)) is not None:
                self._take(packet, headers)
            if self.found.cut:
                return None
        return earliest, latest

    def _take(self, packet: CapturedPacket, headers: Headers) -> None:
        mark = headers.fragment
        if mark is not None and not headers.first and mark not in self._whole:
            if self._held < _MOST_WAITING:
                self._waiting.setdefault(mark, []).append(packet)
                self._held += 1
            return
        self._keep(packet)
        if mark is not None and mark not in self._whole:
            self._whole.add(mark)
            for early in self._waiting.pop(mark, ()):
                self._keep(early)

    def _keep(self, packet: CapturedPacket) -> None:
        key = (packet.time, packet.data)
        if key in self._kept:  # two captures of the same
            return
        if len(self._kept) >= self._limits.packets:
            self.found.cut = "packets"
        elif self._room < len(packet.data) + 16:
            self.found.cut = "octets"
        else:
            self._room -= len(packet.data) + 16
            self._kept[key] = packet

    def finish(self) -> Slice:
        found, kept = self.found, sorted(self._kept.values(), key=lambda packet: packet.time)
        if not kept:
            return found
        links = {packet.link for packet in kept}
        found.raw = len(links) > 1
        found.pcap = _pcap(kept, RAW if found.raw else links.pop())
        found.packets, found.octets = len(kept), len(found.pcap)
        found.first, found.last = kept[0].time, kept[-1].time
        return found


def _pcap(packets: Sequence[CapturedPacket], link: int) -> bytes:
    """A classic pcap, little endian."""
    unit = 1 if any(packet.time % 1000 for packet in packets) else 1000
    parts = [struct.pack("<IHHiIII", 0xA1B23C4D if unit == 1 else 0xA1B2C3D4, 2, 4, 0, 0, 1 << 18, link)]
    for packet in packets:
        seconds, rest = divmod(packet.time, SECOND)
        skip = (network_offset(packet.data, packet.link) or 0) if packet.link != link else 0
        data = packet.data[skip:]
        length = min(max(packet.length - skip, len(data)), 0xFFFFFFFF)
        parts += (struct.pack("<IIII", seconds & 0xFFFFFFFF, rest // unit, len(data), length), data)
    return b"".join(parts)


def _candidates(
    places: Sequence[CapturePlace], span: Span, found: Slice, known: FileTimes, deadline: float
) -> list[tuple[Path, str]]:
    """Files that may hold packets of the span and their states, those first whose beginning is nearest to it."""
    ranked: list[tuple[int, Path, str]] = []
    for path, state, changed in _files(places):
        if time.monotonic() > deadline:  # each unknown file is opened for its first packet
            found.cut = "seconds"
            break
        if (times := known.get(state)) is not None:
            found.times[state] = times
            first = times[0] if times[0] <= span.end and times[1] >= span.start else None
        else:
            # what came after the file was changed last is not in it
            first = _first_time(path, span) if changed >= span.start - DISORDER else None
        if first is None:
            found.passed += 1
        else:
            ranked.append((abs(span.start - first), path, state))
    return [(path, state) for _distance, path, state in sorted(ranked)]


def _files(places: Sequence[CapturePlace]) -> Iterable[tuple[Path, str, int]]:
    """Path, state and time of change (nanoseconds) of every capture."""
    for place in places:
        try:
            entries = list(os.scandir(place.folder))
        except OSError:
            continue  # not made yet
        for entry in entries:
            name = entry.name
            fitting = name.startswith(place.prefix) if place.prefix else name.endswith(SUFFIXES)
            try:
                if fitting and entry.is_file(follow_symlinks=False):
                    one = entry.stat(follow_symlinks=False)
                    yield Path(entry.path), f"{one.st_dev}:{one.st_ino}:{one.st_size}:{one.st_mtime_ns}", one.st_mtime_ns
            except FileNotFoundError:
                continue  # given up meanwhile


def _first_time(path: Path, span: Span) -> int | None:
    """When its first packet came; None where the file cannot hold any of the span."""
    try:
        with open_capture(path) as file:
            packet = next(iter(packets_of(file, path.name)), None)
    except ParseError:
        return span.start  # reading it says what is wrong
    if packet is None or packet.time > span.end + DISORDER:
        return None
    return packet.time
