"""The demo's pcaps: what a mirror port would have seen of some steps of the attacks. Nothing is put on a wire.

The downloaded file is harmless text that only our own test rule knows (``LIANDUN-DEMO-TEST-FILE``); it is no malware and no
scanner flags it.
"""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Sequence
from datetime import datetime
from typing import Any

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


def telnet_guesses(start: float, client: tuple[str, int], server: tuple[str, int], passwords: Sequence[str]) -> list[Packet]:
    """A Telnet session in which one password after the other is tried and refused (RFC 854; a BusyBox login)."""
    talk = Conversation(client, server, start)
    talk.say(1, b"\xff\xfd\x1f\xff\xfb\x01\xff\xfb\x03")
    for password in passwords:
        talk.say(1, b"\r\n(none) login: ")
        talk.say(0, b"root\r\n")
        talk.say(1, b"Password: ")
        talk.say(0, password.encode() + b"\r\n")
        talk.say(1, b"\r\nLogin incorrect\r\n")
    return talk.close()


def rtsp_guesses(start: float, client: tuple[str, int], server: tuple[str, int], names: Sequence[str]) -> list[Packet]:
    """RTSP DESCRIBE with one account after the other, each answered with 401 (RFC 2326 §11.3.2)."""
    talk = Conversation(client, server, start)
    for number, name in enumerate(names, 1):
        digest = f'Digest username="{name}", realm="IPC", nonce="{number:032x}", uri="/live", response="{number * 7:032x}"'
        ask = f"DESCRIBE rtsp://{server[0]}:{server[1]}/live RTSP/1.0\r\nCSeq: {number}\r\nAuthorization: {digest}\r\n\r\n"
        talk.say(0, ask.encode())
        refused = f'RTSP/1.0 401 Unauthorized\r\nCSeq: {number}\r\nWWW-Authenticate: Digest realm="IPC", nonce="{number + 1:032x}"'
        talk.say(1, refused.encode() + b"\r\n\r\n")
    return talk.close()


def s7_stop(start: float, client: tuple[str, int], server: tuple[str, int]) -> list[Packet]:
    """S7comm: connection, set-up, and the PLC STOP job (ISO 8073 over RFC 1006; function 0x29, "P_PROGRAM")."""
    talk = Conversation(client, server, start)
    talk.say(0, bytes.fromhex("0300001611e00000000100c0010ac1020100c2020102"))
    talk.say(1, bytes.fromhex("0300001611d00001000100c0010ac1020100c2020102"))
    talk.say(0, bytes.fromhex("0300001902f08032010000000000080000f0000001000101e0"))
    talk.say(1, bytes.fromhex("0300001b02f080320300000000000800000000f0000001000100f0"))
    talk.say(0, bytes.fromhex("0300002102f0803201000001000010000029000000000009") + b"P_PROGRAM")
    talk.say(1, bytes.fromhex("0300001402f0803203000001000001000000000029"))
    return talk.close()


def stratum(start: float, client: tuple[str, int], server: tuple[str, int]) -> list[Packet]:
    """A miner logs in to a pool and gets work (JSON-RPC 2.0 as XMRig's "Stratum" documentation has it)."""
    talk = Conversation(client, server, start)
    login = {"login": "demo", "pass": "x", "agent": "XMRig/6.22.2", "algo": ["rx/0"]}
    work = {"id": "demo", "job": {"blob": "00", "job_id": "1", "target": "00"}}
    share = {"id": "demo", "job_id": "1", "nonce": "00000000", "result": "00"}
    talk.say(0, _json_line({"id": 1, "jsonrpc": "2.0", "method": "login", "params": login}))
    talk.say(1, _json_line({"id": 1, "jsonrpc": "2.0", "error": None, "result": work}))
    talk.say(0, _json_line({"id": 2, "jsonrpc": "2.0", "method": "submit", "params": share}))
    return talk.close()


def attack(moment: datetime, client: str, client_port: int, loot: tuple[str, int], plc: str) -> bytes:
    """pcap of a compromised server that fetches a tool and then writes to a PLC's registers."""
    start = moment.timestamp()
    packets = download(start, (client, client_port), loot, "/kit/update.sh", "curl/7.88.1")
    packets += modbus_writes(start + 1.5, (client, client_port + 1), (plc, 502), ((40, 1), (41, 0), (42, 65_535)))
    return pcap(packets)


def camera(moment: datetime, intruder: str, target: str, loot: tuple[str, int]) -> bytes:
    """pcap of a camera whose passwords are guessed over Telnet and RTSP and that then fetches a firmware."""
    start = moment.timestamp()
    packets = telnet_guesses(start, (intruder, 40_301), (target, 23), ("admin", "12345", "xc3511", "vizxv", "888888"))
    packets += rtsp_guesses(start + 0.5, (intruder, 40_302), (target, 554), ("admin", "root", "service", "user") * 6)
    packets += download(start + 1.5, (target, 40_303), loot, "/fw/ipc_update.bin", "Wget/1.21.4")
    return pcap(packets)


def controller(moment: datetime, station: str, plc: str, values: tuple[tuple[int, int], ...]) -> bytes:
    """pcap of a workstation that writes to a PLC's registers and then stops it."""
    start = moment.timestamp()
    return pcap(modbus_writes(start, (station, 40_401), (plc, 502), values) + s7_stop(start + 1.0, (station, 40_402), (plc, 102)))


def miner(moment: datetime, node: str, pool: tuple[str, int]) -> bytes:
    """pcap of a cloud node that logs in to a mining pool."""
    return pcap(stratum(moment.timestamp(), (node, 40_501), pool))


def _json_line(message: dict[str, Any]) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


class _Kept(io.BytesIO):
    """scapy closes what it writes to; this buffer stays readable."""

    def close(self) -> None:
        self.flush()
