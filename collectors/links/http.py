"""HTTPS inputs: ``POST /ingest`` (JSON lines), ``POST /_bulk`` (as Elasticsearch has it), ``POST /records`` (forwarders).

200 is said after the records' fsync, never before. A sender that got no answer sends again; so that this doubles nothing it names
its place: ``Liandun-Stream`` (a name that is its own for ever) and ``Liandun-Offset`` (number of the first line, growing).
Forwarders always do, in the records themselves.
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable
from http import HTTPStatus
from typing import NamedTuple

import h11
import msgspec

from collectors.links.listener import Session
from crypto.channel.errors import ChannelClosedError, ChannelTimeoutError
from kernel.record import RawRecord, Sink, decode_record

BODY_LIMIT = 32 << 20
"""Bytes of one request, unpacked."""
_READ = 64 * 1024
_TURN_SECONDS = 0.5
_REQUEST_SECONDS = 300.0
_LONGEST_NAME = 128

_forwarded = msgspec.msgpack.Decoder(tuple[str, list[tuple[int, bytes]]])


class Refusal(Exception):
    """The request is answered with ``status`` and this text."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


class Request(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


def http_speaker(source: str, sink: Sink) -> Callable[[Session], None]:
    """What is said over each link of an HTTPS listener."""

    def speak(session: Session) -> None:
        _Conversation(source, sink, session).run()

    return speak


class _Conversation:
    """One link: requests one after the other (HTTP/1.1)."""

    def __init__(self, source: str, sink: Sink, session: Session) -> None:
        self._source = source
        self._sink = sink
        self._session = session
        self._protocol = h11.Connection(h11.SERVER, max_incomplete_event_size=32 * 1024)
        self._lines = 0  # lines taken over this link: their offset where the sender names none

    def run(self) -> None:
        while True:
            try:
                request = self._request()
                if request is None:
                    return
                answer: object = self._answer(request)
                status = HTTPStatus.OK
            except Refusal as error:
                answer, status = {"error": str(error)}, error.status
            except h11.RemoteProtocolError as error:
                answer, status = {"error": str(error)}, HTTPStatus.BAD_REQUEST
            self._reply(status, msgspec.json.encode(answer))
            if self._protocol.our_state is not h11.DONE or self._protocol.their_state is not h11.DONE:
                return
            self._protocol.start_next_cycle()

    def _request(self) -> Request | None:
        """The next request; None when the sender has finished."""
        head: h11.Request | None = None
        parts, size = [], 0
        started = time.monotonic()
        while True:
            event = self._protocol.next_event()
            if event is h11.NEED_DATA:
                if self._protocol.they_are_waiting_for_100_continue:
                    self._send(h11.InformationalResponse(status_code=100, headers=[]))
                limit = self._session.idle_seconds if head is None else _REQUEST_SECONDS
                if not self._receive(started + limit, head is None):
                    return None
            elif isinstance(event, h11.Request):
                head, started = event, time.monotonic()
            elif isinstance(event, h11.Data):
                size += len(event.data)
                if size > BODY_LIMIT:
                    raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {BODY_LIMIT >> 20} MiB a request")
                parts.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                assert head is not None
                headers = {name.decode("ascii").lower(): value.decode("latin-1") for name, value in head.headers}
                path = head.target.decode("latin-1").partition("?")[0]
                return Request(head.method.decode("ascii"), path, headers, _unpacked(b"".join(parts), headers))
            else:  # ConnectionClosed, PAUSED
                return None

    def _receive(self, deadline: float, between: bool) -> bool:
        """More bytes for the parser; False at the end. ``between`` requests a stop is obeyed at once."""
        while time.monotonic() < deadline and not (between and self._session.stopping()):
            try:
                self._protocol.receive_data(self._session.link.receive(_READ, _TURN_SECONDS))
                return True
            except ChannelTimeoutError:
                continue
            except ChannelClosedError:
                return False
        return False

    def _answer(self, request: Request) -> object:
        if request.path in ("/healthz", "/") and request.method in ("GET", "HEAD"):
            return {"status": "ok"}
        if request.method not in ("POST", "PUT"):
            raise Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "POST to /ingest, /_bulk or /records")
        if request.path == "/ingest":
            return {"accepted": self._put_lines(request, [line for line in request.body.split(b"\n") if line.strip()])}
        if request.path.endswith("/_bulk"):
            return self._bulk(request)
        if request.path == "/records":
            return {"accepted": self._put_forwarded(request.body)}
        raise Refusal(HTTPStatus.NOT_FOUND, "POST to /ingest, /_bulk or /records")

    def _bulk(self, request: Request) -> object:
        """Action and document lines by turns; only actions that add a document."""
        lines = [line for line in request.body.split(b"\n") if line.strip()]
        if len(lines) % 2:
            raise Refusal(HTTPStatus.BAD_REQUEST, "the last action has no document")
        actions = []
        for line in lines[::2]:
            try:
                action = next(iter(msgspec.json.decode(line, type=dict[str, object])), "")
            except msgspec.DecodeError as error:
                raise Refusal(HTTPStatus.BAD_REQUEST, f"an action is not JSON: {error}") from error
            if action not in ("create", "index"):
                raise Refusal(HTTPStatus.BAD_REQUEST, f"{action!r}: events are only added (create, index)")
            actions.append(action)
        self._put_lines(request, lines[1::2])
        return {"took": 0, "errors": False, "items": [{action: {"status": 201, "result": "created"}} for action in actions]}

    def _put_lines(self, request: Request, lines: list[bytes]) -> int:
        peer = self._session.link.facts.peer.name
        name = request.headers.get("liandun-stream", "")
        if name:
            try:
                first = int(request.headers.get("liandun-offset", ""))
            except ValueError:
                first = -1
            if len(name) > _LONGEST_NAME or not 0 <= first < 1 << 62:
                raise Refusal(HTTPStatus.BAD_REQUEST, "Liandun-Stream (at most 128 characters) goes with a Liandun-Offset ≥ 0")
            stream = f"{peer}/http:{name}"
        else:
            stream, first = self._session.stream, self._lines
            self._lines += len(lines)
        now = time.time_ns() // 1000
        origin = self._session.origin
        self._put(
            [RawRecord(self._source, "json", now, origin, line, stream, first + index) for index, line in enumerate(lines)],
            len(request.body),
        )
        return len(lines)

    def _put_forwarded(self, body: bytes) -> int:
        """Records of another Liandun; their streams are put under the sender's name, so that nobody marks those of another."""
        peer = self._session.link.facts.peer.name
        try:
            spool, pairs = _forwarded.decode(body)
            records = [(position, decode_record(data)) for position, data in pairs]
        except msgspec.DecodeError as error:
            raise Refusal(HTTPStatus.BAD_REQUEST, f"not records: {error}") from error
        self._put(
            [
                RawRecord(
                    f"{peer}/{record.source}",
                    record.format,
                    record.received,
                    record.origin,
                    record.raw,
                    f"{peer}/{record.stream or f'spool:{spool}'}",
                    record.offset if record.stream else position,
                )
                for position, record in records
            ],
            len(body),
        )
        return len(records)

    def _put(self, records: list[RawRecord], size: int) -> None:
        if records:
            self._sink.put(records)
            self._session.took(len(records), size, time.time_ns() // 1000)

    def _reply(self, status: HTTPStatus, body: bytes) -> None:
        if self._protocol.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            return
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        self._send(h11.Response(status_code=status.value, headers=headers, reason=status.phrase.encode()))
        self._send(h11.Data(data=body))
        self._send(h11.EndOfMessage())

    def _send(self, event: h11.Event) -> None:
        if data := self._protocol.send(event):
            self._session.link.send(data, _REQUEST_SECONDS)


def _unpacked(body: bytes, headers: dict[str, str]) -> bytes:
    coding = headers.get("content-encoding", "identity").lower()
    if coding in ("identity", ""):
        return body
    if coding != "gzip":
        raise Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Content-Encoding {coding}: send gzip or nothing")
    unpacker = zlib.decompressobj(31)
    try:
        text = unpacker.decompress(body, BODY_LIMIT + 1)
    except zlib.error as error:
        raise Refusal(HTTPStatus.BAD_REQUEST, f"the gzip data are damaged: {error}") from error
    if len(text) > BODY_LIMIT:
        raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"at most {BODY_LIMIT >> 20} MiB a request, unpacked")
    if not unpacker.eof:
        raise Refusal(HTTPStatus.BAD_REQUEST, "the gzip data end too early")
    return text
