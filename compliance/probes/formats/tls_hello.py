"""Just enough of TLS to ask what a server would agree to: a ClientHello out, the first answer in. No socket, no handshake.

Made by hand, since no library of today offers what has to be found: SSL 3.0 (RFC 6101), TLS 1.0 to 1.2 (RFC 2246, 4346, 5246),
TLS 1.3 (RFC 8446). Domestic links (RFC 8998, TLCP) are asked for by ``crypto.channel.probe``.

For TLS 1.3 the hello carries no key share, so that the server answers with HelloRetryRequest, which says version and suite.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence

import msgspec

VERSIONS = {"SSLv3": 0x0300, "TLSv1.0": 0x0301, "TLSv1.1": 0x0302, "TLSv1.2": 0x0303, "TLSv1.3": 0x0304}
TLS13 = {0x1301: "TLS_AES_128_GCM_SHA256", 0x1302: "TLS_AES_256_GCM_SHA384", 0x1303: "TLS_CHACHA20_POLY1305_SHA256"}
STRONG = {
    0xC02F: "ECDHE_RSA_AES_128_GCM_SHA256", 0xC030: "ECDHE_RSA_AES_256_GCM_SHA384", 0xC02B: "ECDHE_ECDSA_AES_128_GCM_SHA256",
    0xC02C: "ECDHE_ECDSA_AES_256_GCM_SHA384", 0xCCA8: "ECDHE_RSA_CHACHA20", 0xCCA9: "ECDHE_ECDSA_CHACHA20",
    0x009E: "DHE_RSA_AES_128_GCM_SHA256", 0x009F: "DHE_RSA_AES_256_GCM_SHA384",
}  # fmt: skip
OLD = {
    0xC027: "ECDHE_RSA_AES_128_CBC_SHA256", 0xC028: "ECDHE_RSA_AES_256_CBC_SHA384", 0xC023: "ECDHE_ECDSA_AES_128_CBC_SHA256",
    0xC013: "ECDHE_RSA_AES_128_CBC_SHA", 0xC014: "ECDHE_RSA_AES_256_CBC_SHA", 0xC009: "ECDHE_ECDSA_AES_128_CBC_SHA",
    0xC00A: "ECDHE_ECDSA_AES_256_CBC_SHA", 0x0033: "DHE_RSA_AES_128_CBC_SHA", 0x0039: "DHE_RSA_AES_256_CBC_SHA",
}  # fmt: skip
STATIC = {
    0x009C: "RSA_AES_128_GCM_SHA256", 0x009D: "RSA_AES_256_GCM_SHA384", 0x003C: "RSA_AES_128_CBC_SHA256",
    0x003D: "RSA_AES_256_CBC_SHA256", 0x002F: "RSA_AES_128_CBC_SHA", 0x0035: "RSA_AES_256_CBC_SHA",
}  # fmt: skip
BROKEN = {
    0x0001: "RSA_NULL_MD5", 0x0002: "RSA_NULL_SHA", 0x003B: "RSA_NULL_SHA256", 0x0003: "RSA_EXPORT_RC4_40_MD5",
    0x0004: "RSA_RC4_128_MD5", 0x0005: "RSA_RC4_128_SHA", 0x0008: "RSA_EXPORT_DES40_CBC_SHA", 0x0009: "RSA_DES_CBC_SHA",
    0x000A: "RSA_3DES_EDE_CBC_SHA", 0x0016: "DHE_RSA_3DES_EDE_CBC_SHA", 0x0018: "DH_anon_RC4_128_MD5",
    0x001B: "DH_anon_3DES_EDE_CBC_SHA", 0x0034: "DH_anon_AES_128_CBC_SHA", 0x003A: "DH_anon_AES_256_CBC_SHA",
    0x006C: "DH_anon_AES_128_CBC_SHA256", 0x00A6: "DH_anon_AES_128_GCM_SHA256", 0xC007: "ECDHE_ECDSA_RC4_128_SHA",
    0xC011: "ECDHE_RSA_RC4_128_SHA", 0xC012: "ECDHE_RSA_3DES_EDE_CBC_SHA", 0xC010: "ECDHE_RSA_NULL_SHA",
    0xC006: "ECDHE_ECDSA_NULL_SHA",
    0xC018: "ECDH_anon_AES_128_CBC_SHA", 0xC019: "ECDH_anon_AES_256_CBC_SHA",
}  # fmt: skip
NAMES = {**TLS13, **STRONG, **OLD, **STATIC, **BROKEN}
_GROUPS = (0x001D, 0x0017, 0x0018, 0x0019, 0x0100)
"""X25519, P-256, P-384, P-521, ffdhe2048."""
_SIGNATURES = (
    0x0403, 0x0503, 0x0603, 0x0804, 0x0805, 0x0806, 0x0401, 0x0501, 0x0601, 0x0203, 0x0201, 0x0202, 0x0807,
)  # fmt: skip
_HANDSHAKE, _ALERT = 22, 21
_SERVER_HELLO, _CERTIFICATE, _HELLO_DONE = 2, 11, 14


class Answer(msgspec.Struct, frozen=True):
    """What a server chose; ``certificates``: DER, where they came in clear (not with TLS 1.3)."""

    version: int
    suite: int
    certificates: tuple[bytes, ...] = ()


class NotTls(ValueError):
    """What came is no TLS."""


def client_hello(version: str, suites: Sequence[int], server_name: str) -> bytes:
    """A record with a ClientHello; ``server_name`` "": none (for addresses)."""
    number = VERSIONS[version]
    is_new = version == "TLSv1.3"
    listed = struct.pack(f"!{len(suites)}H", *suites)
    body = struct.pack("!H", 0x0303 if is_new else number) + os.urandom(32)
    body += (b"\x20" + os.urandom(32)) if is_new else b"\x00"
    body += struct.pack("!H", len(listed)) + listed + b"\x01\x00"
    extensions = b"" if version == "SSLv3" else _extensions(server_name, is_new)
    if extensions:
        body += struct.pack("!H", len(extensions)) + extensions
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    outside = number if version == "SSLv3" else 0x0301
    return struct.pack("!BHH", _HANDSHAKE, outside, len(message)) + message


def _extensions(server_name: str, is_new: bool) -> bytes:
    found = b""
    if server_name:
        name = server_name.encode("idna") if not server_name.isascii() else server_name.encode()
        found += _extension(0, struct.pack("!HBH", len(name) + 3, 0, len(name)) + name)
    found += _extension(10, _vector(_GROUPS)) + _extension(11, b"\x01\x00") + _extension(13, _vector(_SIGNATURES))
    if is_new:
        found += _extension(43, b"\x02\x03\x04") + _extension(51, b"\x00\x00") + _extension(45, b"\x01\x01")
    return found


def _extension(kind: int, content: bytes) -> bytes:
    return struct.pack("!HH", kind, len(content)) + content


def _vector(numbers: Sequence[int]) -> bytes:
    return struct.pack(f"!H{len(numbers)}H", 2 * len(numbers), *numbers)


def answer(octets: bytes) -> Answer | bool | None:
    """What the octets so far say: an Answer, None for a refusal (alert), False where more has to come. Raises NotTls."""
    messages, at = b"", 0
    while len(octets) - at >= 5:
        kind, major, length = octets[at], octets[at + 1], int.from_bytes(octets[at + 3 : at + 5], "big")
        if kind not in (_HANDSHAKE, _ALERT, 20, 23) or major != 3 or length > 18_432:
            raise NotTls("the server speaks no TLS")
        if len(octets) - at - 5 < length:
            break
        content = octets[at + 5 : at + 5 + length]
        if kind == _ALERT and not messages:
            if len(content) == 2 and content[0] == 1:  # a warning, such as unrecognized_name
                at += 5 + length
                continue
            return None
        if kind != _HANDSHAKE:
            return _read(messages, is_whole=True)
        messages += content
        at += 5 + length
    if octets and octets[0] not in (_HANDSHAKE, _ALERT):
        raise NotTls("the server speaks no TLS")
    return _read(messages, is_whole=False)


def _read(messages: bytes, *, is_whole: bool) -> Answer | bool:
    found: Answer | None = None
    at = 0
    while len(messages) - at >= 4:
        kind, length = messages[at], int.from_bytes(messages[at + 1 : at + 4], "big")
        body = messages[at + 4 : at + 4 + length]
        if len(body) < length:
            break
        if kind == _SERVER_HELLO:
            found = _hello(body)
            if found.version == VERSIONS["TLSv1.3"]:
                return found
        elif kind == _CERTIFICATE and found is not None:
            found = msgspec.structs.replace(found, certificates=_certificates(body))
        elif kind == _HELLO_DONE and found is not None:
            return found
        at += 4 + length
    return found if is_whole and found is not None else False


def _hello(body: bytes) -> Answer:
    if len(body) < 38 or len(body) < 38 + body[34]:
        raise NotTls("the answer of the server is cut off")
    version, at = int.from_bytes(body[:2], "big"), 35 + body[34]
    suite = int.from_bytes(body[at : at + 2], "big")
    at += 5
    while len(body) - at >= 4:
        kind, length = int.from_bytes(body[at : at + 2], "big"), int.from_bytes(body[at + 2 : at + 4], "big")
        if kind == 43 and length == 2:
            version = int.from_bytes(body[at + 4 : at + 6], "big")
        at += 4 + length
    return Answer(version, suite)


def _certificates(body: bytes) -> tuple[bytes, ...]:
    found: list[bytes] = []
    at = 3
    while len(body) - at >= 3 and len(found) < 20:
        length = int.from_bytes(body[at : at + 3], "big")
        found.append(body[at + 3 : at + 3 + length])
        at += 3 + length
    return tuple(found)
