"""What every kind of link offers, whichever library is below."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from crypto.channel.identity import PeerIdentity

Suite = Literal["domestic", "classic", "tlcp"]
"""domestic: RFC 8998 TLS 1.3; classic: TLS 1.3 with foreign algorithms; tlcp: GB/T 38636 with double certificates."""

Revoked = Callable[[PeerIdentity], bool]
"""Asked for every peer after its chain was found good: True refuses it."""

HANDSHAKE_SECONDS = 10.0
LINGER_SECONDS = 1.0
IDLE_SECONDS = 600.0


class Credentials(NamedTuple):
    """Files (PEM) of one end.

    certificate, key          own certificate (then its issuers) and its private key; with TLCP those for signing
    ca                        the certificates that peers must descend from
    crl                       revocation lists (PEM, one or more); None = not checked
    enc_certificate, enc_key  TLCP only: the pair for key exchange
    """

    certificate: Path
    key: Path
    ca: Path
    crl: Path | None = None
    enc_certificate: Path | None = None
    enc_key: Path | None = None

    def stamp(self) -> tuple[tuple[int, int], ...]:
        """Changes when one of the files does (modification time in ns and inode). Raises OSError."""
        return tuple((status.st_mtime_ns, status.st_ino) for path in self if path is not None for status in [path.stat()])


class LinkFacts(NamedTuple):
    """What was agreed: protocol ``TLSv1.3`` or ``TLCP``, names as in the registries, and the peer."""

    protocol: str
    suite: str
    group: str
    peer: PeerIdentity

    @property
    def domestic(self) -> bool:
        return self.group in ("curveSM2", "SM2") and "SM4" in self.suite and self.peer.key == "SM2"


class Link(Protocol):
    """An open, mutually authenticated link. One thread at a time."""

    facts: LinkFacts

    def receive(self, size: int, timeout: float = IDLE_SECONDS) -> bytes:
        """At most ``size`` bytes, at least one. Raises ChannelClosedError, ChannelTimeoutError."""

    def send(self, data: bytes, timeout: float = IDLE_SECONDS) -> None:
        """All of ``data``. Raises ChannelClosedError, ChannelTimeoutError."""

    def close(self) -> None:
        """Say good-bye if that is still possible, and close the socket."""


def linger(connected: socket.socket) -> None:
    """End our direction and wait a moment for the other side's end.

    To close a socket with unread bytes (a session ticket) resets the connection, and a reset throws away what the other side has
    received but not yet read.
    """
    connected.shutdown(socket.SHUT_WR)
    deadline = time.monotonic() + LINGER_SECONDS
    while (left := deadline - time.monotonic()) > 0:
        connected.settimeout(left)
        if not connected.recv(65536):
            return
