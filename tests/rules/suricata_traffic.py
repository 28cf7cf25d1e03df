"""Packets for the tests of our Suricata rules, made with scapy: nothing here is ever put on a wire."""

from __future__ import annotations

import ipaddress
import json
import struct
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from scapy.layers.dns import DNS, DNSQR
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw

from demo.packets import CLIENT_MAC, SERVER_MAC, Conversation

CLOCK = 1_795_400_000.0
"""When a case starts, in seconds since the epoch (November 2026)."""

Say = tuple[int, bytes]


def in_its_own_network(packets: list[Packet], number: int) -> list[Packet]:
    """The packets of case ``number`` with addresses that no other case has (a.b.NUMBER.d, …:…:…:NUMBER:…), so that one run of the
    engine can take all cases and every alert tells whose it is."""
    for packet in packets:
        outer = packet[IPv6] if packet.haslayer(IPv6) and not packet.haslayer(IP) else packet[IP]
        outer.src, outer.dst = _moved(outer.src, number), _moved(outer.dst, number)
        packet.time = float(packet.time) + number * 7_200  # thresholds and flows of one case end before the next begins
    return packets


def case_of(address: str) -> int:
    """Number of the case that an address belongs to."""
    parsed = ipaddress.ip_address(address)
    return int(parsed.exploded.split(":")[3], 16) if parsed.version == 6 else int(address.split(".")[2])


def _moved(address: str, number: int) -> str:
    if ":" in address:
        groups = ipaddress.ip_address(address).exploded.split(":")
        groups[3] = f"{number:04x}"
        return str(ipaddress.ip_address(":".join(groups)))
    parts = address.split(".")
    return ".".join((parts[0], parts[1], str(number), parts[3]))


def ethernet() -> Packet:
    return Ether(src=CLIENT_MAC, dst=SERVER_MAC)


def network(source: str, target: str) -> Packet:
    return ethernet() / (IPv6(src=source, dst=target) if ":" in source else IP(src=source, dst=target))


def tcp(client: str, server: str, port: int, *said: Say, source_port: int = 40_100, start: float = 0.0) -> list[Packet]:
    """One connection; ``said``: (0 client │ 1 server, bytes) in order."""
    talk = Conversation((client, source_port), (server, port), CLOCK + start)
    for side, data in said:
        talk.say(side, data)
    return talk.close()


def udp(source: str, target: str, port: int, payloads: list[bytes], every: float = 1.0, source_port: int = 30_000) -> list[Packet]:
    packets = []
    for number, payload in enumerate(payloads):
        packet = network(source, target) / UDP(sport=source_port, dport=port) / Raw(payload)
        packet.time = CLOCK + number * every
        packets.append(packet)
    return packets


def request(client: str, server: str, head: str, body: bytes = b"", reply: bytes = b"ok", kind: str = "text/plain") -> list[Packet]:
    """HTTP: request line and headers (one a line), body, and an answer of 200."""
    if body:
        head += f"\nContent-Length: {len(body)}"
    answer = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(reply)}\r\n\r\n".encode() + reply
    return tcp(client, server, 80, (0, head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body), (1, answer), source_port=40_010)


def get(client: str, server: str, target: str, *headers: str) -> list[Packet]:
    return request(client, server, "\n".join((f"GET {target} HTTP/1.1", "Host: portal.example", *headers)))


def post(client: str, server: str, target: str, body: bytes, *headers: str, reply: bytes = b"ok") -> list[Packet]:
    return request(
        client, server, "\n".join((f"POST {target} HTTP/1.1", "Host: portal.example", *headers)), body, reply, "text/html"
    )


def questions(source: str, target: str, names: list[str], port: int = 53) -> list[Packet]:
    packets = []
    for number, name in enumerate(names):
        question = bytes(DNS(id=number, rd=1, qd=DNSQR(qname=name, qtype="TXT")))
        packet = network(source, target) / UDP(sport=30_000 + number, dport=port) / Raw(question)
        packet.time = CLOCK + number
        packets.append(packet)
    return packets


def knocks(source: str, target: str, count: int) -> list[Packet]:
    packets = []
    for number in range(count):
        packet = network(source, target) / TCP(sport=40_000 + number, dport=22, flags="S", seq=number)
        packet.time = CLOCK + number * 0.5
        packets.append(packet)
    return packets


def echoes(source: str, target: str, count: int, size: int) -> list[Packet]:
    packets = []
    for number in range(count):
        echo = ICMPv6EchoRequest(seq=number, data=b"x" * size) if ":" in source else ICMP(type=8, seq=number) / Raw(b"x" * size)
        packet = network(source, target) / echo
        packet.time = CLOCK + number
        packets.append(packet)
    return packets


def modbus(unit_data: bytes, transaction: int = 1) -> bytes:
    return struct.pack(">HHHB", transaction, 0, len(unit_data) + 1, 1) + unit_data


def dnp3(function: int, data: bytes = b"") -> bytes:
    """A request of the master (IEEE 1815-2012, 9.2: blocks of 16 bytes, each with its CRC)."""
    user = bytes((0xC0, 0xC0, function)) + data
    head = bytes((0x05, 0x64, 5 + len(user), 0xC4)) + struct.pack("<HH", 10, 1)
    blocks = [user[start : start + 16] for start in range(0, len(user), 16)]
    return head + _crc(head) + b"".join(block + _crc(block) for block in blocks)


def _crc(data: bytes) -> bytes:
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ 0xA6BC if value & 1 else value >> 1
    return struct.pack("<H", value ^ 0xFFFF)


def s7(function: int, parameters: bytes = b"\x00" * 6) -> bytes:
    """A job of an engineering station in TPKT (RFC 1006) and COTP."""
    parameter = bytes((function,)) + parameters
    job = bytes((0x32, 1, 0, 0, 0, 1)) + struct.pack(">HH", len(parameter), 0) + parameter
    return struct.pack(">BBH", 3, 0, 7 + len(job)) + b"\x02\xf0\x80" + job


def iec104(kind: int, cause: int) -> bytes:
    """An I frame with one information object (IEC 60870-5-104, 5)."""
    unit = bytes((kind, 1, cause, 0, 1, 0, 1, 0, 0, 1))
    return bytes((0x68, 4 + len(unit), 0, 0, 0, 0)) + unit


def cip(service: int) -> bytes:
    """SendRRData with an unconnected message to the identity object (EtherNet/IP, "Encapsulation")."""
    message = bytes((service, 2, 0x20, 0x01, 0x24, 0x01))
    items = struct.pack("<IHHHHHH", 0, 5, 2, 0, 0, 0xB2, len(message)) + message
    return struct.pack("<HHII8sI", 0x6F, len(items), 1, 0, b"liandun1", 0) + items


def mqtt_connect(user: bytes = b"") -> bytes:
    flags = 0x82 if user else 0x02
    body = struct.pack(">H4sBBH", 4, b"MQTT", 4, flags, 60) + _text(b"meter-17") + (_text(user) if user else b"")
    return bytes((0x10, len(body))) + body


def mqtt_subscribe(topic: bytes) -> bytes:
    body = b"\x00\x01" + _text(topic) + b"\x00"
    return bytes((0x82, len(body))) + body


def _text(value: bytes) -> bytes:
    return struct.pack(">H", len(value)) + value


def sip_register(number: int) -> bytes:
    device = f"3402000000132000{number:04d}"
    return (
        f"REGISTER sip:34020000002000000001@3402000000 SIP/2.0\r\nVia: SIP/2.0/UDP 10.61.1.10:5060;branch=z9hG4bK{number}\r\n"
        f"From: <sip:{device}@3402000000>;tag=1\r\nTo: <sip:{device}@3402000000>\r\nCall-ID: {number}@10.61.1.10\r\n"
        f"CSeq: {number} REGISTER\r\nMax-Forwards: 70\r\nExpires: 3600\r\nContent-Length: 0\r\n\r\n"
    ).encode()


def rtsp_refused(client: str, camera: str, count: int) -> list[Packet]:
    asked = b"DESCRIBE rtsp://camera/ch1 RTSP/1.0\r\nCSeq: 2\r\n\r\n"
    told = b'RTSP/1.0 401 Unauthorized\r\nCSeq: 2\r\nWWW-Authenticate: Digest realm="x", nonce="1"\r\n\r\n'
    packets: list[Packet] = []
    for number in range(count):
        packets += tcp(client, camera, 554, (0, asked), (1, told), source_port=41_000 + number, start=number)
    return packets


def tls_with_certificate(client: str, server: str, days_left: int) -> list[Packet]:
    """ClientHello, ServerHello and Certificate (RFC 5246, 7.4); the certificate ends ``days_left`` days after the case's time."""
    moment = datetime.fromtimestamp(CLOCK, UTC)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "portal.lanting.example")])
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
        .not_valid_before(moment - timedelta(days=800)).not_valid_after(moment + timedelta(days=days_left))
        .sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    )  # fmt: skip
    hello = _handshake(1, b"\x03\x03" + bytes(32) + b"\x00\x00\x02\xc0\x2b\x01\x00")
    chain = len(certificate).to_bytes(3, "big") + certificate
    answer = _handshake(2, b"\x03\x03" + bytes(32) + b"\x00\xc0\x2b\x00") + _handshake(11, len(chain).to_bytes(3, "big") + chain)
    return tcp(client, server, 443, (0, hello), (1, answer))


def _handshake(kind: int, body: bytes) -> bytes:
    message = bytes((kind,)) + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x03" + struct.pack(">H", len(message)) + message


def smb_tree_connect(share: str) -> list[Say]:
    """SMB2 TREE_CONNECT and its answer (MS-SMB2 2.2.9, 2.2.10)."""
    path = share.encode("utf-16-le")
    asked = _smb2(3, 0) + struct.pack("<HHHH", 9, 0, 72, len(path)) + path
    told = _smb2(3, 1) + struct.pack("<HBBIII", 16, 1, 0, 0, 0, 0x1F01FF)
    return [(0, _netbios(asked)), (1, _netbios(told))]


def _smb2(command: int, flags: int) -> bytes:
    return b"\xfeSMB" + struct.pack("<HHIHHIIQIIQ16s", 64, 1, 0, command, 1, flags, 0, 3, 0, 5, 0x400, bytes(16))


def _netbios(message: bytes) -> bytes:
    return len(message).to_bytes(4, "big") + message


def identity_numbers(count: int) -> bytes:
    """A JSON list of persons that do not exist (region 110101, order numbers that were never given out together)."""
    people = [{"name": f"n{n}", "idcard": f"11010119900307{n:03d}X", "phone": "13800000000"} for n in range(100, 100 + count)]
    return json.dumps(people).encode()
