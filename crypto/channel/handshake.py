"""What the first bytes of a TLS or TLCP connection say, without keys: from both directions' byte streams.

Reads ClientHello, ServerHello, HelloRetryRequest, Certificate and ServerKeyExchange of RFC 8446 §4, RFC 5246 §7.4 and
GB/T 38636-2020 §6.4; of TLS 1.3 only what is in clear (certificates are not). Strict in lengths, bounded in size; an error keeps
what was understood before it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import msgspec

from crypto.channel.names import (
    CURVE_SM2,
    FOREIGN_IN_TLCP,
    GROUPS,
    RFC8998_SUITES,
    SIGNATURES,
    SUITES,
    TLCP_SUITES,
    TLCP_VERSION,
    TLS13_VERSION,
    VERSIONS,
    named,
)

_ALERT, _HANDSHAKE, _APPLICATION, _CHANGE_CIPHER = 21, 22, 23, 20
_CLIENT_HELLO, _SERVER_HELLO, _CERTIFICATE, _SERVER_KEY_EXCHANGE = 1, 2, 11, 12
_SERVER_NAME, _GROUPS, _SIGNATURES, _VERSIONS, _KEY_SHARE = 0, 10, 13, 43, 51
_RECORD_LIMIT = 16384 + 2048
_MESSAGE_LIMIT = 1 << 17
_SHORTEST_FINISHED = 4 + 32 + 1 + 8
"""Bytes of an encrypted Finished; an encrypted alert is shorter."""
RETRY_RANDOM = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
"""random of a ServerHello that is a HelloRetryRequest (RFC 8446 §4.1.3)."""


class Hello(msgspec.Struct):
    """A ClientHello or ServerHello; lists have one entry in the latter."""

    version: int
    suites: list[int]
    groups: list[int] = []
    shares: list[int] = []
    signatures: list[int] = []
    name: str = ""
    retry: bool = False


class Handshake(msgspec.Struct):
    """Everything seen of one connection.

    certificates  of the server and of the client, DER, as far as they were in clear
    curve         named in a ServerKeyExchange (TLS 1.2)
    alert         description code of the first alert in clear, None without one
    finished      True where the side that ends the handshake sent its Finished (server, in TLS 1.3 the client)
    problem       where reading stopped because the bytes are no handshake
    """

    client: Hello | None = None
    server: Hello | None = None
    server_certificates: list[bytes] = []
    client_certificates: list[bytes] = []
    curve: int | None = None
    alert: int | None = None
    finished: bool = False
    problem: str = ""

    @property
    def version(self) -> int | None:
        return self.server.version if self.server else None

    @property
    def suite(self) -> int | None:
        return self.server.suites[0] if self.server and self.server.suites else None

    @property
    def group(self) -> int | None:
        """Group of the key exchange; for TLCP it is always the SM2 curve, but there it is not negotiated."""
        if self.server and self.server.shares:
            return self.server.shares[0]
        return self.curve

    def names(self) -> tuple[str, str, str]:
        """Version, suite and group for people."""
        group = named(GROUPS, self.group)
        if not group and self.suite in TLCP_SUITES and self.version == TLCP_VERSION:
            group = "SM2"
        return named(VERSIONS, self.version), named(SUITES, self.suite), group

    @property
    def signatures(self) -> list[str]:
        """Signature algorithms that the client offers."""
        return [named(SIGNATURES, code) for code in self.client.signatures] if self.client else []

    @property
    def domestic(self) -> bool | None:
        """True: a domestic protocol, suite and key exchange; False: foreign; None: the server did not agree to anything."""
        if self.server is None or self.suite is None:
            return None
        if self.version == TLCP_VERSION:
            return self.suite in TLCP_SUITES and self.suite not in FOREIGN_IN_TLCP
        return self.version == TLS13_VERSION and self.suite in RFC8998_SUITES and self.group == CURVE_SM2


class NotTlsError(ValueError):
    """The bytes are no TLS or TLCP."""


def read_handshake(client: bytes, server: bytes) -> Handshake:
    """Read what a client and a server sent, each from the first byte of its direction."""
    found = Handshake()
    for octets, from_client in ((server, False), (client, True)):  # the server's version tells what the client's records mean
        try:
            for kind, body in _messages(octets, found, from_client):
                _note(found, kind, body, from_client)
        except (NotTlsError, struct.error, IndexError) as error:
            found.problem = found.problem or str(error)
    return found


def looks_like_tls(start: bytes) -> bool:
    """True where a stream begins with a handshake record of TLS or TLCP that carries a hello."""
    return len(start) >= 6 and start[0] == _HANDSHAKE and start[1:3] in _RECORD_VERSIONS and start[5] in (1, 2)


_RECORD_VERSIONS = frozenset({b"\x01\x01", b"\x03\x00", b"\x03\x01", b"\x03\x02", b"\x03\x03", b"\x03\x04"})


def _messages(octets: bytes, found: Handshake, from_client: bool) -> Iterator[tuple[int, bytes]]:
    """Handshake messages of one direction until it is encrypted or ends."""
    buffer = bytearray()
    at, clear = 0, True
    while at + 5 <= len(octets):
        kind, version, length = octets[at], octets[at + 1 : at + 3], int.from_bytes(octets[at + 3 : at + 5], "big")
        if kind not in (_CHANGE_CIPHER, _ALERT, _HANDSHAKE, _APPLICATION) or version not in _RECORD_VERSIONS:
            raise NotTlsError(f"byte {at}: no record")
        if length > _RECORD_LIMIT:
            raise NotTlsError(f"byte {at}: a record of {length} bytes")
        body = octets[at + 5 : at + 5 + length]
        at += 5 + length
        if kind == _APPLICATION:  # TLS 1.3: the handshake's rest looks like data, too
            found.finished = found.finished or (from_client and length >= _SHORTEST_FINISHED)
            if from_client and length < _SHORTEST_FINISHED:
                continue
            return
        if kind == _CHANGE_CIPHER:
            tls13 = found.server is not None and found.server.version == TLS13_VERSION
            retry = found.server is not None and found.server.retry
            clear = clear and (tls13 or retry)  # TLS 1.3 sends it for middle boxes only
            continue
        if not clear:
            found.finished = found.finished or not from_client
            return
        if kind == _ALERT:
            if len(body) == 2 and found.alert is None:
                found.alert = body[1]
            continue
        buffer += body
        while len(buffer) >= 4:
            size = int.from_bytes(buffer[1:4], "big")
            if size > _MESSAGE_LIMIT:
                raise NotTlsError(f"a message of {size} bytes")
            if len(buffer) < 4 + size:
                break
            yield buffer[0], bytes(buffer[4 : 4 + size])
            del buffer[: 4 + size]


def _note(found: Handshake, kind: int, body: bytes, from_client: bool) -> None:
    if kind == _CLIENT_HELLO and from_client and found.client is None:
        found.client = read_hello(body, client=True)
    elif kind == _SERVER_HELLO and not from_client and (found.server is None or found.server.retry):
        found.server = read_hello(body, client=False)
    elif kind == _CERTIFICATE:
        (found.client_certificates if from_client else found.server_certificates).extend(_certificates(body))
    elif kind == _SERVER_KEY_EXCHANGE and not from_client and found.version != TLCP_VERSION and body[:1] == b"\x03":
        found.curve = int.from_bytes(body[1:3], "big")  # ECParameters: named_curve (RFC 8422 §5.4)


class _Reader:
    """Length-checked reading."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._at = 0

    def take(self, count: int) -> bytes:
        part = self._octets[self._at : self._at + count]
        if len(part) < count:
            raise NotTlsError("a field runs past its message")
        self._at += count
        return part

    def number(self, count: int) -> int:
        return int.from_bytes(self.take(count), "big")

    def vector(self, count: int) -> bytes:
        """A field with its length in ``count`` bytes before it."""
        return self.take(self.number(count))

    @property
    def left(self) -> int:
        return len(self._octets) - self._at


def _codes(octets: bytes) -> list[int]:
    return [int.from_bytes(octets[at : at + 2], "big") for at in range(0, len(octets) - 1, 2)]


def read_hello(body: bytes, *, client: bool) -> Hello:
    """A ClientHello or ServerHello without its message header. Raises NotTlsError."""
    reader = _Reader(body)
    version, random = reader.number(2), reader.take(32)
    reader.vector(1)  # session
    if client:
        hello = Hello(version, [code for code in _codes(reader.vector(2)) if not _grease(code)])
        reader.vector(1)  # compression
    else:
        hello = Hello(version, [reader.number(2)], retry=random == RETRY_RANDOM)
        reader.take(1)
    if reader.left:
        extensions = _Reader(reader.vector(2))
        while extensions.left:
            kind, content = extensions.number(2), extensions.vector(2)
            _note_extension(hello, kind, content, client)
    return hello


def _note_extension(hello: Hello, kind: int, content: bytes, client: bool) -> None:
    reader = _Reader(content)
    if kind == _VERSIONS:
        codes = [code for code in _codes(reader.vector(1) if client else content) if not _grease(code)]
        hello.version = max(codes, default=hello.version)
    elif kind == _GROUPS and client:
        hello.groups = [code for code in _codes(reader.vector(2)) if not _grease(code)]
    elif kind == _SIGNATURES and client:
        hello.signatures = _codes(reader.vector(2))
    elif kind == _KEY_SHARE:
        hello.shares = _shares(reader, client)
    elif kind == _SERVER_NAME and client and content:
        names = _Reader(reader.vector(2))
        while names.left and not hello.name:
            which, name = names.number(1), names.vector(2)
            hello.name = name.decode("ascii", "replace") if which == 0 else ""


def _shares(reader: _Reader, client: bool) -> list[int]:
    if not client:
        return [reader.number(2)]  # in a HelloRetryRequest the group alone
    groups, shares = [], _Reader(reader.vector(2))
    while shares.left:
        groups.append(shares.number(2))
        shares.vector(2)
    return [group for group in groups if not _grease(group)]


def _grease(code: int) -> bool:
    """Values that clients send to keep servers tolerant (RFC 8701)."""
    return code & 0x0F0F == 0x0A0A and code >> 8 == code & 0xFF


def _certificates(body: bytes) -> list[bytes]:
    """The list of TLS 1.2 and TLCP (there: signing certificate, encryption certificate, then issuers)."""
    found, reader = [], _Reader(_Reader(body).vector(3))
    while reader.left:
        found.append(reader.vector(3))
    return found
