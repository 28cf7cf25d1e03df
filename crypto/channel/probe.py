"""Asks a server which links it agrees to, by ClientHellos of our own: no library stands between the question and the bytes.

Nothing is finished: the connection is closed after the server's first answer. Three questions: TLS 1.3 with the domestic suites
only (RFC 8998), TLCP (GB/T 38636), and what it agrees to with an ordinary client.
"""

from __future__ import annotations

import secrets
import socket
import struct
import time
from typing import NamedTuple

from crypto.channel.handshake import Handshake, looks_like_tls, read_handshake
from crypto.channel.names import CURVE_SM2, RFC8998_SUITES, SM2SIG_SM3, TLCP_SUITES, TLCP_VERSION, TLS12_VERSION, TLS13_VERSION
from crypto.sm2 import PrivateKey

_ANSWER_LIMIT = 128 * 1024
_ORDINARY_SUITES = (
    0x1301,
    0x1302,
    0x1303,
    0xC02B,
    0xC02F,
    0xC02C,
    0xC030,
    0xCCA9,
    0xCCA8,
    0xC009,
    0xC013,
    0xC00A,
    0xC014,
    0x009C,
    0x002F,
)
_ORDINARY_GROUPS = (29, 23, 24, 25)
_ORDINARY_SIGNATURES = (0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601, 0x0807, 0x0201)
_X25519 = 29


class Answer(NamedTuple):
    """question: rfc8998, tlcp or ordinary; handshake: what came (server None = refused); problem: why there is no answer."""

    question: str
    handshake: Handshake
    problem: str = ""


def probe(host: str, port: int, *, timeout: float = 5.0) -> list[Answer]:
    """All three questions, each over a connection of its own with ``timeout`` seconds in all. Never raises for the network."""
    hellos = {"rfc8998": domestic_hello(host), "tlcp": tlcp_hello(), "ordinary": ordinary_hello(host)}
    answers = []
    for question, hello in hellos.items():
        try:
            octets = _ask(host, port, hello, timeout)
        except OSError as error:
            answers.append(Answer(question, Handshake(), f"no connection: {error.strerror or error}"))
            continue
        handshake = read_handshake(hello, octets)
        silent = "" if octets else "the server closed without an answer"
        foreign = "" if not octets or octets[0] in (21, 22) or looks_like_tls(octets) else "what answers does not speak TLS"
        answers.append(Answer(question, handshake, silent or foreign))
    return answers


def _ask(host: str, port: int, hello: bytes, timeout: float) -> bytes:
    deadline = time.monotonic() + timeout
    octets = bytearray()
    with socket.create_connection((host, port), timeout) as connected:
        connected.sendall(hello)
        while len(octets) < _ANSWER_LIMIT and (left := deadline - time.monotonic()) > 0:
            connected.settimeout(min(left, timeout if not octets else 0.5))  # an answer comes in one go
            try:
                part = connected.recv(65536)
            except (TimeoutError, ConnectionError):
                break
            if not part:
                break
            octets += part
    return bytes(octets)


def domestic_hello(host: str) -> bytes:
    """ClientHello of TLS 1.3 that offers SM4, curveSM2 and sm2sig_sm3, nothing else."""
    share = PrivateKey.generate().public.to_bytes()  # a real point: servers check it
    return _hello(
        TLS12_VERSION,
        list(RFC8998_SUITES),
        _name(host)
        + _extension(10, _list16([CURVE_SM2]))
        + _extension(13, _list16([SM2SIG_SM3]))
        + _extension(43, b"\x02" + struct.pack(">H", TLS13_VERSION))
        + _extension(51, _vector(2, struct.pack(">H", CURVE_SM2) + _vector(2, share))),
    )


def ordinary_hello(host: str) -> bytes:
    """ClientHello as browsers send it, for TLS 1.2 and 1.3."""
    return _hello(
        TLS12_VERSION,
        list(_ORDINARY_SUITES),
        _name(host)
        + _extension(10, _list16(list(_ORDINARY_GROUPS)))
        + _extension(11, b"\x01\x00")
        + _extension(13, _list16(list(_ORDINARY_SIGNATURES)))
        + _extension(43, b"\x04" + struct.pack(">HH", TLS13_VERSION, TLS12_VERSION))
        + _extension(45, b"\x01\x01")
        + _extension(51, _vector(2, struct.pack(">H", _X25519) + _vector(2, secrets.token_bytes(32)))),
    )


def tlcp_hello() -> bytes:
    """ClientHello of TLCP 1.1, all suites of GB/T 38636 with SM4, without extensions (old servers know none)."""
    return _hello(TLCP_VERSION, [suite for suite in TLCP_SUITES if suite & 0x50 or suite & 0x10], b"", record_version=TLCP_VERSION)


def _hello(version: int, suites: list[int], extensions: bytes, record_version: int = 0x0301) -> bytes:
    body = struct.pack(">H", version) + secrets.token_bytes(32)
    session = secrets.token_bytes(32) if extensions else b""
    body += _vector(1, session) + _list16(suites) + b"\x01\x00"
    if extensions:
        body += _vector(2, extensions)
    message = b"\x01" + _vector(3, body)
    return b"\x16" + struct.pack(">H", record_version) + _vector(2, message)


def _vector(count: int, content: bytes) -> bytes:
    return len(content).to_bytes(count, "big") + content


def _list16(codes: list[int]) -> bytes:
    return _vector(2, b"".join(struct.pack(">H", code) for code in codes))


def _extension(kind: int, content: bytes) -> bytes:
    return struct.pack(">H", kind) + _vector(2, content)


def _name(host: str) -> bytes:
    """server_name, for DNS names only (RFC 6066 §3)."""
    if ":" in host or host.replace(".", "").isdigit():
        return b""
    return _extension(0, _vector(2, b"\x00" + _vector(2, host.encode("idna"))))
