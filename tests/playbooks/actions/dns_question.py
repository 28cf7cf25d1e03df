"""A question to a DNS server over UDP (RFC 1035, 4.1), asked without a library that would ask others, too."""

from __future__ import annotations

import ipaddress
import socket
import struct

A, AAAA = 1, 28


def ask(server: str, name: str, kind: int = A) -> tuple[int, list[str]]:
    """The code of the answer and its addresses; raises OSError where none comes within half a second."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.5)
        sock.connect((server, 53))
        sock.send(struct.pack("!6H", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!2H", kind, 1))
        answer = sock.recv(4096)
    _, flags, _, count, _, _ = struct.unpack("!6H", answer[:12])
    at, found = 12 + len(labels) + 5, []
    for _ in range(count):  # names are pointers of two octets here
        length = struct.unpack("!H", answer[at + 10 : at + 12])[0]
        found.append(str(ipaddress.ip_address(answer[at + 12 : at + 12 + length])))
        at += 12 + length
    return flags & 15, found
