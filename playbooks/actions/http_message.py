"""HTTP/1.1 messages as octets (RFC 9112): a request written, an answer read. No sockets here.

Strict where senders and receivers could disagree about where a message ends: an answer with Transfer-Encoding and Content-Length,
two lengths, folded headers or an unknown coding is refused. (Written here because commands are many and small: the standard
library's client spends several times as long on each message, most of it in its mail parser.)
"""

from __future__ import annotations

import re
from typing import NamedTuple

MAX_HEAD = 65_536
MAX_BODY = 1_048_576
"""Octets of an answer that are read; longer ones are cut off, and the connection with them."""

_TARGET = re.compile(r"[!-~]+")
_VALUE = re.compile(r"[\t -~\x80-\xff]*")
_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [^\r\n]*)?")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*?)[ \t]*")
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?")


class MessageError(ValueError):
    """What came is no answer, or what should be sent is no request."""


class Answer(NamedTuple):
    """What a server said; names of headers in lower case. ``whole``: nothing was cut off."""

    status: int
    headers: dict[str, str]
    body: bytes
    whole: bool = True


def request(method: str, target: str, headers: list[tuple[str, str]], body: bytes) -> bytes:
    """A request's octets. Raises MessageError where a part holds what may not stand in it."""
    if not _TARGET.fullmatch(target):
        raise MessageError("the request target holds blanks or control characters")
    lines = [f"{method} {target} HTTP/1.1"]
    for name, value in headers:
        text = value.encode("utf-8").decode("latin-1")
        if not _VALUE.fullmatch(text):
            raise MessageError(f"the header {name} holds control characters")
        lines.append(f"{name}: {text}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


class AnswerReader:
    """Takes the octets of one answer as they come. ``done`` when it is complete; ``reusable`` whether the connection may go on."""

    def __init__(self, method: str) -> None:
        self.done = False
        self.reusable = False
        self._method = method
        self._buffer = bytearray()
        self._status = 0
        self._headers: dict[str, str] = {}
        self._body = bytearray()
        self._left: int | None = None  # octets of the body (or chunk) to come; None = until the connection ends
        self._state = "head"
        self._whole = True

    def feed(self, data: bytes) -> None:
        """The next octets. Raises MessageError."""
        self._buffer += data
        while not self.done and self._step():
            pass
        if self.done and self._buffer:
            self.reusable = False  # more than was asked for

    def close(self) -> None:
        """The connection has ended. Raises MessageError where the answer had not."""
        if self._state == "rest":
            self._end(reusable=False)
        elif not self.done:
            raise MessageError(
                "the connection ended before the answer did" if self._status else "the connection ended without an answer"
            )

    def answer(self) -> Answer:
        """The answer; call it when ``done``."""
        return Answer(self._status, self._headers, bytes(self._body), self._whole)

    def _step(self) -> bool:
        """Go on with what is there; False where more octets are needed."""
        match self._state:
            case "head":
                return self._read_head()
            case "rest":
                self._append(len(self._buffer))
                return False
            case "size":
                return self._read_size()
            case "trailer":
                return self._read_trailer()
            case _:
                return self._read_body()

    def _read_head(self) -> bool:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > MAX_HEAD:
                raise MessageError("the head of the answer is too long")
            return False
        first, *fields = bytes(self._buffer[:end]).split(b"\r\n")
        del self._buffer[: end + 4]
        found = _STATUS.fullmatch(first)
        if found is None or end > MAX_HEAD:
            raise MessageError("it is no answer of HTTP/1.1")
        status = int(found[2])
        if status == 101:
            raise MessageError("the server wants to speak another protocol")
        if status < 200:
            return True  # the answer itself comes later
        self._status = status
        self._headers = _headers(fields)
        self._frame(kept=found[1] == b"1" and "close" not in self._headers.get("connection", "").lower())
        return True

    def _frame(self, *, kept: bool) -> None:
        """Where the body ends (RFC 9112, 6.3)."""
        coding, length = self._headers.get("transfer-encoding"), self._headers.get("content-length")
        self.reusable = kept
        if self._method == "HEAD" or self._status in (204, 304):
            self._end(reusable=kept)
        elif coding is not None:
            if coding.lower() != "chunked" or length is not None:
                raise MessageError("it cannot be told where the answer ends")
            self._state = "size"
        elif length is not None:
            if not (length.isascii() and length.isdigit() and len(length) < 16):
                raise MessageError("the length of the answer cannot be read")
            self._left, self._state = int(length), "body"
            if self._left == 0:
                self._end(reusable=kept)
        else:
            self._state = "rest"

    def _read_body(self) -> bool:
        assert self._left is not None
        taken = min(self._left, len(self._buffer))
        if not taken:
            return False
        self._left -= taken
        self._append(taken)
        if self._left == 0 and not self.done:
            self._end(reusable=self.reusable)
        return True

    def _read_size(self) -> bool:
        """A chunk's size, or the line end after one."""
        end = self._buffer.find(b"\r\n")
        if end < 0:
            if len(self._buffer) > 1024:
                raise MessageError("the size of a chunk cannot be read")
            return False
        if self._left == 0:  # a chunk has just ended
            if end:
                raise MessageError("a chunk is longer than it says")
            del self._buffer[:2]
            self._left = None
            return True
        found = _SIZE.fullmatch(bytes(self._buffer[:end]))
        if found is None:
            raise MessageError("the size of a chunk cannot be read")
        del self._buffer[: end + 2]
        size = int(found[1], 16)
        self._left, self._state = size, "chunk" if size else "trailer"
        return True

    def _read_trailer(self) -> bool:
        end = self._buffer.find(b"\r\n")
        if end < 0:
            if len(self._buffer) > MAX_HEAD:
                raise MessageError("what follows the answer is too long")
            return False
        del self._buffer[: end + 2]
        if end == 0:
            self._end(reusable=self.reusable)
        return True

    def _append(self, octets: int) -> None:
        self._body += self._buffer[:octets]
        del self._buffer[:octets]
        if len(self._body) > MAX_BODY:
            del self._body[MAX_BODY:]
            self._whole = False
            self._end(reusable=False)

    def _end(self, *, reusable: bool) -> None:
        if self._state == "chunk" and self._whole:
            self._state = "size"
            return
        self.done, self.reusable = True, reusable


def _headers(fields: list[bytes]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for field in fields:
        found = _FIELD.fullmatch(field)
        if found is None:
            raise MessageError("a header of the answer cannot be read")
        name, value = found[1].decode("ascii").lower(), found[2].decode("latin-1")
        if name in headers:
            if name in ("content-length", "transfer-encoding") and headers[name] != value:
                raise MessageError("it cannot be told where the answer ends")
            value = value if name in ("content-length", "transfer-encoding") else f"{headers[name]}, {value}"
        headers[name] = value
    return headers
