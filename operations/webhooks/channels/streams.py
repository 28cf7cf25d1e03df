"""Connections of the channels that are not HTTP: to the checked address, with one deadline over everything."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

from operations.errors import Invalid
from operations.webhooks.guard import WebhookPolicy, check_address


def check_server(url: str, ports: dict[str, int], policy: WebhookPolicy) -> None:
    """A URL of scheme, host and port, and nothing more. Raises Invalid."""
    check_address(url, tuple(ports), policy)
    parts = urlsplit(url)
    if parts.path.strip("/") or parts.query:
        raise Invalid(
            "the address is a scheme, a host and perhaps a port", f"e.g. {next(iter(ports))}://host.example.cn", field="url"
        )


def place_of(url: str, ports: dict[str, int]) -> tuple[str, str, int]:
    """Scheme, host and port of a checked URL."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or ports[parts.scheme]


class Cutter:
    """Cuts a connection when ``seconds`` are over, whatever drips in: a socket's timeout begins again with every byte."""

    def __init__(self, seconds: float) -> None:
        self.over = False
        self._sock: socket.socket | None = None
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def watch(self, sock: socket.socket) -> None:
        self._sock = sock
        if self.over:
            self._cut()

    def _cut(self) -> None:
        self.over = True
        if self._sock is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(
                    self._sock, socket.SHUT_RDWR
                )  # not SSLSocket's, which takes the TLS object away under the reader

    def __enter__(self) -> Cutter:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()


@contextlib.contextmanager
def connected(
    address: str, host: str, port: int, context: ssl.SSLContext, cutter: Cutter, timeout: float
) -> Iterator[ssl.SSLSocket]:
    """A TLS connection to ``address`` whose certificate is ``host``'s. Raises OSError (ssl.SSLError is one)."""
    with socket.create_connection((address, port), timeout) as plain:
        cutter.watch(plain)
        with context.wrap_socket(plain, server_hostname=host) as secured:
            cutter.watch(secured)
            yield secured
