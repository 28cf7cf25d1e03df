"""What a server said, and the exchange that brings it: HTTP/1.1 by h11, which knows where messages end. No sockets here."""

from __future__ import annotations

from typing import NamedTuple

import h11

MAX_HEAD = 65_536
MAX_BODY = 1_048_576
"""Octets of an answer that are kept; longer ones are cut off, and the connection with them."""


class Answer(NamedTuple):
    """Names of headers in lower case, those of one name joined. ``whole``: nothing was cut off."""

    status: int
    headers: dict[str, str]
    body: bytes
    whole: bool = True


class Exchanges:
    """One request and its answer after the other on one connection. All raise h11.ProtocolError."""

    def __init__(self) -> None:
        self._protocol = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD)
        self._status = 0
        self._headers: dict[str, str] = {}
        self._body = bytearray()

    def request(self, method: str, target: str, headers: list[tuple[str, str]], body: bytes) -> bytes:
        """The octets to send. Refuses what would be read as more than one request."""
        self._status, self._headers, self._body = 0, {}, bytearray()
        fields = [(name.encode(), value.encode()) for name, value in headers]
        start = self._protocol.send(h11.Request(method=method.encode(), target=target.encode(), headers=fields)) or b""
        content = (self._protocol.send(h11.Data(data=body)) or b"") if body else b""
        return start + content + (self._protocol.send(h11.EndOfMessage()) or b"")

    def take(self, data: bytes) -> Answer | None:
        """The answer, once it is complete; ``data`` is what came, nothing where the connection has ended."""
        self._protocol.receive_data(data)
        while True:
            event = self._protocol.next_event()
            if event is h11.NEED_DATA:
                return None
            if isinstance(event, h11.Response):
                self._status = event.status_code
                for name, value in event.headers:
                    key, text = name.decode("ascii"), value.decode("latin-1")
                    self._headers[key] = f"{self._headers[key]}, {text}" if key in self._headers else text
            elif isinstance(event, h11.Data):
                self._body += event.data
                if len(self._body) > MAX_BODY:
                    return Answer(self._status, self._headers, bytes(self._body[:MAX_BODY]), whole=False)
            elif isinstance(event, h11.EndOfMessage):
                return Answer(self._status, self._headers, bytes(self._body))
            elif event is h11.PAUSED or isinstance(event, h11.ConnectionClosed):
                raise h11.RemoteProtocolError("the connection ended without an answer")

    def ready_again(self) -> bool:
        """Whether the connection may carry another exchange: the answer is complete, nothing more came, and neither side closes."""
        protocol = self._protocol
        if {protocol.our_state, protocol.their_state} != {h11.DONE} or protocol.trailing_data[0]:
            return False
        protocol.start_next_cycle()
        return True
