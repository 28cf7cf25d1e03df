"""Captures of TCP conversations with a file in them, IPv4 and IPv6: HTTP download, FTP passive upload, SMTP with an attachment."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

MACS = {"src": "02:00:00:00:00:07", "dst": "02:00:00:00:00:80"}
"""Named, since scapy would ask the real network for them."""

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"


class Conversation:
    """One TCP connection, handshake included; its packets go to ``packets``."""

    def __init__(self, packets: list[Any], client: str, server: str, ports: tuple[int, int]) -> None:
        from scapy.all import IP, IPv6

        self._network = IPv6 if ":" in client else IP
        self._ends = {"client": (client, ports[0]), "server": (server, ports[1])}
        self._next = {"client": 1000, "server": 5000}
        self._packets = packets
        self._segment("client", "S")
        self._segment("server", "SA")
        self._segment("client", "A")

    def say(self, side: str, payload: bytes) -> None:
        """Send bytes; the other side acknowledges them, within its window of 65,535."""
        other = "server" if side == "client" else "client"
        for number, start in enumerate(range(0, len(payload), 1400), 1):
            self._segment(side, "PA", payload[start : start + 1400])
            if number % 20 == 0:
                self._segment(other, "A")
        self._segment(other, "A")

    def close(self) -> None:
        self._segment("client", "FA")
        self._segment("server", "FA")
        self._segment("client", "A")

    def _segment(self, side: str, flags: str, payload: bytes = b"") -> None:
        from scapy.all import TCP, Ether, Raw

        other = "server" if side == "client" else "client"
        (source, port), (target, to) = self._ends[side], self._ends[other]
        numbers = {"seq": self._next[side], "ack": self._next[other] if "A" in flags else 0}
        segment = TCP(sport=port, dport=to, flags=flags, window=65535, **numbers)
        packet = Ether(**MACS) / self._network(src=source, dst=target) / segment
        self._packets.append(packet / Raw(payload) if payload else packet)
        self._next[side] += len(payload) + ("S" in flags or "F" in flags)


def http_download(client: str, server: str, body: bytes, name: str = "eicar.com") -> list[Any]:
    packets: list[Any] = []
    web = Conversation(packets, client, server, (40000, 80))
    web.say("client", b"GET /files/%b HTTP/1.1\r\nHost: download.example\r\nUser-Agent: test\r\n\r\n" % name.encode())
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n" % len(body)
    web.say("server", head + body)
    web.close()
    return packets


def ftp_upload(client: str, server: str, body: bytes, name: str = "eicar.com") -> list[Any]:
    """RFC 959 with the extended passive mode of RFC 2428, which is the same for IPv4 and IPv6."""
    packets: list[Any] = []
    control = Conversation(packets, client, server, (40001, 21))
    control.say("server", b"220 ready\r\n")
    for command, answer in (("USER anonymous", "331 password"), ("PASS x", "230 in"), ("TYPE I", "200 binary")):
        control.say("client", command.encode() + b"\r\n")
        control.say("server", answer.encode() + b"\r\n")
    control.say("client", b"EPSV\r\n")
    control.say("server", b"229 Entering Extended Passive Mode (|||50100|)\r\n")
    control.say("client", b"STOR %b\r\n" % name.encode())
    carried = Conversation(packets, client, server, (40002, 50100))
    control.say("server", b"150 go on\r\n")
    carried.say("client", body)
    carried.close()
    control.say("server", b"226 done\r\n")
    control.say("client", b"QUIT\r\n")
    control.say("server", b"221 bye\r\n")
    control.close()
    return packets


def smtp_mail(client: str, server: str, body: bytes, name: str = "eicar.com") -> list[Any]:
    """RFC 5321 with one attachment in base64 (RFC 2045)."""
    packets: list[Any] = []
    mail = Conversation(packets, client, server, (40003, 25))
    mail.say("server", b"220 mx.example ESMTP\r\n")
    for command in (b"EHLO pc.example", b"MAIL FROM:<a@example.org>", b"RCPT TO:<b@example.org>"):
        mail.say("client", command + b"\r\n")
        mail.say("server", b"250 ok\r\n")
    mail.say("client", b"DATA\r\n")
    mail.say("server", b"354 go on\r\n")
    lines = base64.encodebytes(body).replace(b"\n", b"\r\n")
    mail.say(
        "client",
        b"From: a@example.org\r\nTo: b@example.org\r\nSubject: report\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/mixed; boundary="part"\r\n\r\n--part\r\nContent-Type: text/plain\r\n\r\nplease read\r\n'
        b'--part\r\nContent-Type: application/octet-stream; name="%b"\r\nContent-Transfer-Encoding: base64\r\n'
        b'Content-Disposition: attachment; filename="%b"\r\n\r\n%b\r\n--part--\r\n.\r\n' % (name.encode(), name.encode(), lines),
    )
    mail.say("server", b"250 taken\r\n")
    mail.say("client", b"QUIT\r\n")
    mail.say("server", b"221 bye\r\n")
    mail.close()
    return packets


CARRIERS = {"http": http_download, "ftp": ftp_upload, "smtp": smtp_mail}


def write_capture(path: Path, packets: list[Any]) -> None:
    from scapy.all import wrpcap

    wrpcap(str(path), packets)
