"""Limits of a listener. What is checked here is what happens before and around a link; links themselves: tests/crypto/channel."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from collectors.links.listener import Limits, LinkListener
from collectors.sockets import listen_tcp
from crypto.channel.errors import HandshakeError
from crypto.channel.link import Credentials, Link


class Slow:
    """A context whose peers never finish their handshake; it waits as a real one does."""

    def open(self, connected: socket.socket, *, timeout: float) -> Link:
        connected.settimeout(timeout)
        try:
            connected.recv(1)
        except TimeoutError:
            connected.close()
            raise HandshakeError("timeout", "too slow") from None
        raise HandshakeError("closed", "gone")


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "did not happen within 10 s"
        time.sleep(0.02)


@pytest.fixture
def listen(tmp_path: Path) -> Iterator[Callable[[Limits], LinkListener]]:
    (tmp_path / "x").write_text("")
    running: list[tuple[LinkListener, threading.Thread, socket.socket]] = []

    def make(limits: Limits) -> LinkListener:
        listening = listen_tcp("::", 0)
        files = Credentials(tmp_path / "x", tmp_path / "x", tmp_path / "x")
        listener = LinkListener(listening, files, lambda _: Slow(), lambda _: None, limits=limits)
        thread = threading.Thread(target=listener.run)
        thread.start()
        running.append((listener, thread, listening))
        return listener

    yield make
    for listener, thread, listening in running:
        listener.stop()
        thread.join(10)
        listening.close()


def connect(listener: LinkListener, host: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection((host, listener._listener.getsockname()[1]))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_links_from_one_address_are_bounded(listen: Callable[[Limits], LinkListener], host: str) -> None:
    listener = listen(Limits(connections=10, per_address=2, handshake_seconds=0.6))
    sockets = [connect(listener, host) for _ in range(3)]
    wait_for(lambda: listener.counters["refused"].get("per-address") == 1)
    assert sockets[2].recv(1) == b""
    wait_for(lambda: listener.counters["refused"].get("timeout") == 2)
    wait_for(lambda: listener.counters["connections"] == 0)
    for one in sockets:
        one.close()


def test_links_in_all_and_handshakes_are_bounded(listen: Callable[[Limits], LinkListener]) -> None:
    listener = listen(Limits(connections=3, per_address=10, handshakes=1, handshake_seconds=0.5))
    sockets = [connect(listener) for _ in range(4)]
    wait_for(lambda: listener.counters["refused"].get("connections") == 1)
    wait_for(lambda: listener.counters["connections"] == 0)
    assert sum(listener.counters["refused"].values()) == 4
    for one in sockets:
        one.close()
