"""The demo's pcap: what a mirror port would have seen of a download and of a Modbus write. Nothing is put on a wire.

The downloaded file is harmless text that only our own test rule knows (``LIANDUN-DEMO-TEST-FILE``); it is no malware and no
scanner flags it.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from datetime import datetime

from scapy.layers.inet import IP, TCP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw
from scapy.utils import PcapWriter

TEST_FILE = b"#!/bin/sh\n# LIANDUN-DEMO-TEST-FILE: harmless, made for the demo of Liandun\necho 'nothing happens here'\nexit 0\n"
CLIENT_MAC, SERVER_MAC = "02:00:00:00:00:0a", "02:00:00:00:00:0b"


class Conversation:
    """One TCP connection, packet by packet, both directions in order; 2 ms between packets."""

    def __init__(self, client: tuple[str, int], server: tuple[str, int], start: float) -> None:
        self.packets: list[Packet] = []
        self._ends = (client, server)
        self._sequence = [1_000, 5_000]
        self._clock = start
        self._send(0, "S")
        self._send(1, "SA")
        self._send(0, "A")

    def say(self, side: int, data: bytes) -> None:
        """``side`` 0 = client, 1 = server sends ``data`` (in segments of 1,200 bytes); the other side acknowledges."""
        for start in range(0, len(data), 1_200):
            self._send(side, "PA", data[start : start + 1_200])
            self._send(1 - side, "A")

    def close(self) -> list[Packet]:
        """FIN both ways; returns all packets."""
        self._send(0, "FA")
        self._send(1, "FA")
        self._send(0, "A")
        return self.packets

    def _send(self, side: int, flags: str, data: bytes = b"") -> None:
        (source, source_port), (target, port) = self._ends[side], self._ends[1 - side]
        macs = (CLIENT_MAC, SERVER_MAC) if side == 0 else (SERVER_MAC, CLIENT_MAC)
        network = IPv6(src=source, dst=target) if ":" in source else IP(src=source, dst=target)
        acknowledged = 0 if flags == "S" else self._sequence[1 - side]
        segment = TCP(sport=source_port, dport=port, flags=flags, seq=self._sequence[side], ack=acknowledged, window=64_240)
        packet = Ether(src=macs[0], dst=macs[1]) / network / segment
        if data:
            packet = packet / Raw(data)
        packet.time = self._clock
        self.packets.append(packet)
        self._clock += 0.002
        self._sequence[side] += len(data) + (1 if "S" in flags or "F" in flags else 0)


def download(start: float, client: tuple[str, int], server: tuple[str, int], path: str, agent: str) -> list[Packet]:
    """HTTP GET of the harmless test file."""
    talk = Conversation(client, server, start)
    name = f"[{server[0]}]" if ":" in server[0] else server[0]
    talk.say(0, f"GET {path} HTTP/1.1\r\nHost: {name}:{server[1]}\r\nUser-Agent: {agent}\r\nAccept: */*\r\n\r\n".encode())
    head = (
        f"HTTP/1.1 200 OK\r\nServer: SimpleHTTP/0.6\r\nContent-Type: application/x-sh\r\nContent-Length: {len(TEST_FILE)}\r\n\r\n"
    )
    talk.say(1, head.encode() + TEST_FILE)
    return talk.close()


def modbus_writes(
    start: float, client: tuple[str, int], server: tuple[str, int], values: tuple[tuple[int, int], ...]
) -> list[Packet]:
    """Modbus/TCP function 6 (Write Single Register), one per (address, value); the device echoes each (V1.1b3 §6.6)."""
    talk = Conversation(client, server, start)
    for transaction, (address, value) in enumerate(values, 1):
        frame = struct.pack(">HHHBBHH", transaction, 0, 6, 1, 6, address, value)
        talk.say(0, frame)
        talk.say(1, frame)
    return talk.close()


def pcap(packets: list[Packet]) -> bytes:
    """A classic pcap file (Ethernet) of the packets in time order."""
    buffer = _Kept()
    writer = PcapWriter(buffer, linktype=1, sync=True)
    for packet in sorted(packets, key=lambda one: float(one.time)):
        writer.write(packet)
    return buffer.getvalue()


def attack(moment: datetime, client: str, client_port: int, loot: tuple[str, int], plc: str) -> bytes:
    """pcap of a compromised server that fetches a tool and then writes to a PLC's registers."""
    start = moment.timestamp()
    packets = list(_attack(start, client, client_port, loot, plc))
    return pcap(packets)


def _attack(start: float, client: str, client_port: int, loot: tuple[str, int], plc: str) -> Iterator[Packet]:
    yield from download(start, (client, client_port), loot, "/kit/update.sh", "curl/7.88.1")
    yield from modbus_writes(start + 1.5, (client, client_port + 1), (plc, 502), ((40, 1), (41, 0), (42, 65_535)))


class _Kept(io.BytesIO):
    """scapy closes what it writes to; this buffer stays readable."""

    def close(self) -> None:
        self.flush()
