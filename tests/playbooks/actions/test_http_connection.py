"""Exchanges with a real server that answers any octets: read in any pieces, kept or given up, and refused where it is unclear."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playbooks.actions.contract import ActionError, Context
from playbooks.actions.destination import Endpoint, Reach
from playbooks.actions.http_answer import MAX_BODY, Answer
from playbooks.actions.http_connection import HttpClient

LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX: a\r\nx: b\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 201 Made\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nhel\r\n2\r\nlo\r\n0\r\nT: x\r\n\r\n"
CONTINUED = b"HTTP/1.1 100 Continue\r\n\r\n" + LENGTH
EMPTY = b"HTTP/1.1 204 No Content\r\n\r\n"


class Server:
    """Answers each request with the same octets in these pieces. ``connections`` counts, ``close`` ends each after one answer."""

    def __init__(self, pieces: list[bytes], *, close: bool = False, pause: float = 0.0) -> None:
        self.pieces, self.close, self.pause, self.connections = pieces, close, pause, 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint("http", "127.0.0.1", self.socket.getsockname()[1], "")

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._speak, args=(connection,), daemon=True).start()

    def _speak(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection:
            try:
                while connection.recv(65_536):
                    for piece in self.pieces:
                        connection.sendall(piece)
                        time.sleep(self.pause)
                    if self.close:
                        return
            except OSError:
                return


@contextmanager
def serving(pieces: list[bytes], *, close: bool = False, pause: float = 0.0) -> Iterator[Server]:
    server = Server(pieces, close=close, pause=pause)
    try:
        yield server
    finally:
        server.socket.close()


def ask(
    client: HttpClient, server: Server, *, target: str = "/", headers: list[tuple[str, str]] | None = None, seconds: float = 10.0
) -> Answer:
    fields = [("Host", server.endpoint.netloc), *(headers or [])]
    return client.exchange([server.endpoint], "GET", target, fields, b"", Context(time.monotonic() + seconds))


def client() -> HttpClient:
    return HttpClient(Reach(("127.0.0.0/8",), ("127.0.0.1",)))


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([LENGTH, CHUNKED, CONTINUED, EMPTY]), st.lists(st.integers(0, 120), max_size=4))
def test_the_pieces_do_not_matter_and_the_connection_is_used_again(message: bytes, cuts: list[int]) -> None:
    places = sorted({0, *(cut for cut in cuts if cut < len(message)), len(message)})
    with serving([message[start:end] for start, end in itertools.pairwise(places)]) as server:
        one = client()
        for _ in range(2):
            assert ask(one, server).body == (b"" if message == EMPTY else b"hello")
        assert server.connections == 1


def test_headers_of_one_name_are_joined() -> None:
    with serving([LENGTH]) as server:
        assert ask(client(), server) == Answer(200, {"content-length": "5", "x": "a, b"}, b"hello")


def test_without_a_length_the_connection_ends_it() -> None:
    with serving([b"HTTP/1.0 200 OK\r\n\r\nhel", b"lo"], close=True) as server:
        one = client()
        assert [ask(one, server).body for _ in range(2)] == [b"hello", b"hello"]
        assert server.connections == 2


def test_what_is_too_long_is_cut_and_the_connection_given_up() -> None:
    with serving([b"HTTP/1.1 200 OK\r\nContent-Length: 9000000\r\n\r\n", b"x" * (MAX_BODY + 1)]) as server:
        one = client()
        for _ in range(2):
            answer = ask(one, server)
            assert (len(answer.body), answer.whole) == (MAX_BODY, False)
        assert server.connections == 2


@pytest.mark.parametrize(
    "message",
    [
        b"SSH-2.0-OpenSSH\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nA : b\r\n\r\n",
        b"HTTP/1.1 101 Switching\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
        b"",
    ],
)
def test_what_is_not_clear_is_refused(message: bytes) -> None:
    with serving([message], close=True) as server, pytest.raises(ActionError, match="did not answer as it should"):
        ask(client(), server)


def test_a_server_that_drips_cannot_hold_a_worker() -> None:
    with serving([bytes([octet]) for octet in LENGTH * 20], pause=0.05) as server, pytest.raises(ActionError) as told:
        ask(client(), server, seconds=0.6)
    assert told.value.code == "ACTION_TIMEOUT"


def test_more_than_was_asked_for_ends_the_connection() -> None:
    with serving([LENGTH + b"HTTP/1.1 200 OK\r\n"]) as server:
        one = client()
        for _ in range(2):
            assert ask(one, server).body == b"hello"
        assert server.connections == 2


@pytest.mark.parametrize(("target", "value"), [("/a b", "x"), ("/a", "x\r\nEvil: y"), ("/a\n", "x")])
def test_requests_cannot_be_split(target: str, value: str) -> None:
    with serving([LENGTH]) as server, pytest.raises(ActionError) as told:
        ask(client(), server, target=target, headers=[("X", value)])
    assert told.value.code == "COMMAND_WRONG"
