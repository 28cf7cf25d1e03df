"""What leaves the server's threads and what stays: a plain GET that the application took, with its head and a socket of its own."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from cli.roles.handing_over import HandingOver
from soc_ui.live.handover import KEY


class Answer:
    """A WSGI answer that knows whether it was closed."""

    def __init__(self) -> None:
        self.closed = False

    def __iter__(self) -> Iterator[bytes]:
        return iter([b"body"])

    def close(self) -> None:
        self.closed = True


class Page:
    """An application that wants the socket and answers with ``status``."""

    def __init__(self, status: str = "200 OK") -> None:
        self.status, self.answer = status, Answer()
        self.taken: list[tuple[socket.socket, bytes]] = []
        self.offered = False

    def take(self, sock: socket.socket, head: bytes) -> None:
        self.taken.append((sock, head))

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        self.offered = KEY in environ
        if self.offered:
            environ[KEY](self.take)
        start_response(self.status, [("Content-Type", "text/event-stream"), ("Content-Length", "0")])
        return self.answer


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def ask(page: Callable[..., Any], sock: object, **changes: str) -> Iterable[bytes]:
    environ = {"gunicorn.socket": sock, "SERVER_PROTOCOL": "HTTP/1.1", "REQUEST_METHOD": "GET"} | changes
    return HandingOver(page)(environ, lambda *_given: None)


def test_the_socket_goes_with_the_head_and_outlives_the_server_s(pair: tuple[socket.socket, socket.socket]) -> None:
    page = Page()
    with pytest.raises(BrokenPipeError):
        ask(page, pair[0])
    (sock, head), *others = page.taken
    assert not others
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Connection: close\r\n" in head
    assert b"Content-Length" not in head
    assert page.answer.closed
    pair[0].close()
    sock.sendall(b"on")
    assert pair[1].recv(10) == b"on"
    sock.close()


def test_an_answer_that_is_no_200_stays_with_the_server(pair: tuple[socket.socket, socket.socket]) -> None:
    page = Page("503 Service Unavailable")
    assert list(ask(page, pair[0])) == [b"body"]
    assert page.taken == []


@pytest.mark.parametrize("changes", [{"REQUEST_METHOD": "HEAD"}, {"SERVER_PROTOCOL": "HTTP/1.0"}, {"SERVER_PROTOCOL": "HTTP/2"}])
def test_other_requests_are_offered_nothing(pair: tuple[socket.socket, socket.socket], changes: dict[str, str]) -> None:
    page = Page()
    assert list(ask(page, pair[0], **changes)) == [b"body"]
    assert not page.offered


def test_another_server_is_offered_nothing() -> None:
    page = Page()
    assert list(ask(page, None)) == [b"body"]
    assert not page.offered


def test_the_answer_is_closed_where_handing_over_fails(
    pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closing gives the place of the stream back (soc_ui.live.views)."""

    def full(_descriptor: int) -> int:
        raise OSError(24, "too many open files")

    monkeypatch.setattr("cli.roles.handing_over.os.dup", full)
    page = Page()
    with pytest.raises(OSError, match="too many open files"):
        ask(page, pair[0])
    assert page.answer.closed
    assert page.taken == []
