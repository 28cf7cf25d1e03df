"""Messages in a syslog byte stream, without sockets.

RFC 6587 knows two framings and a receiver is not told which one a sender uses, so it is found out message by message:

* octet counting (§3.4.1): ``MSG-LEN SP SYSLOG-MSG``, recognised by digits, a space and the ``<`` of the PRI;
* non-transparent framing (§3.4.2): everything up to LF. CR before LF and NUL in place of LF are tolerated (some devices send them).

Invariants: the messages and their offsets depend on the bytes only, not on how they were cut into chunks; no byte of a message
that fits ``max_message`` is changed; a longer one is cut there, counted in ``truncated``, and the rest of it skipped.

>>> framer = SyslogFramer()
>>> framer.feed(b"5 <1>hi<2>ho\\n<3>")
[(7, b'<1>hi'), (13, b'<2>ho')]
>>> framer.consumed, framer.pending
(13, 3)
"""

from __future__ import annotations

import re

_COUNT = re.compile(rb"([1-9][0-9]{0,8}) <")
_MAYBE_COUNT = re.compile(rb"[1-9][0-9]{0,8} ?$")
_TERMINATOR = re.compile(rb"[\n\0]")
_FILLER = b"\n\r\0"

DEFAULT_MAX_MESSAGE = 64 * 1024
"""Bytes. RFC 5425 §4.3.1 asks for 2,048 and recommends 8,192; Windows events relayed as syslog need more."""


class SyslogFramer:
    """Cuts one connection's bytes into messages.

    max_message  longest message in bytes
    consumed     offset in the stream up to which everything has been given out or skipped
    truncated    messages that were longer than ``max_message``
    """

    def __init__(self, max_message: int = DEFAULT_MAX_MESSAGE, start: int = 0) -> None:
        self.max_message = max_message
        self.consumed = start
        self.truncated = 0
        self._buffer = bytearray()
        self._position = 0  # within _buffer: start of what is not yet given out
        self._searched = 0  # within _buffer: no terminator before this
        self._skip = 0  # octets of a cut counted message still to come
        self._skip_line = False  # a cut line goes on until its terminator

    @property
    def pending(self) -> int:
        """Bytes fed that belong to a message still incomplete."""
        return len(self._buffer) - self._position

    @property
    def wanted(self) -> int:
        """Bytes still missing before :meth:`feed` can make progress (at least 1)."""
        head = bytes(self._buffer[self._position : self._position + 12])
        count = _COUNT.match(head)
        if count is None:
            return 1
        end = len(count.group(1)) + 1 + min(int(count.group(1)), self.max_message)
        return max(1, end - self.pending)

    def feed(self, data: bytes | memoryview) -> list[tuple[int, bytes]]:
        """Take more bytes; returns ``(offset of the message's end in the stream, message)`` for each message that is now whole."""
        self._buffer += data
        messages: list[tuple[int, bytes]] = []
        while self._step(messages):
            pass
        del self._buffer[: self._position]
        self._searched = max(0, self._searched - self._position)
        self._position = 0
        return messages

    def finish(self) -> list[tuple[int, bytes]]:
        """The stream has ended: give out what is left as a last message (a sender may leave out the last LF)."""
        rest = bytes(self._buffer)
        count = _COUNT.match(rest)
        self._advance(len(rest))
        del self._buffer[:]
        self._position = self._searched = 0
        if count is not None:
            rest = rest[count.end() - 1 :]
            self.truncated += 1
        message = rest.rstrip(_FILLER)
        return [(self.consumed, message)] if message else []

    def _step(self, messages: list[tuple[int, bytes]]) -> bool:
        """Deal with one message, or one piece of filling; False when more bytes are needed."""
        if self._skip:
            return self._skip_octets()
        if self._skip_line:
            return self._skip_to_terminator()
        self._skip_filler()
        if self._position == len(self._buffer):
            return False
        count = _COUNT.match(self._buffer, self._position)
        if count is not None:
            return self._counted(count, messages)
        if self.pending <= 10 and _MAYBE_COUNT.match(self._buffer, self._position):
            return False  # digits so far: the next byte decides
        return self._line(messages)

    def _counted(self, count: re.Match[bytes], messages: list[tuple[int, bytes]]) -> bool:
        start, length = count.end() - 1, int(count.group(1))
        kept = min(length, self.max_message)
        if len(self._buffer) - start < kept:
            return False
        message = bytes(self._buffer[start : start + kept])
        self._advance(start + kept - self._position)
        if kept < length:
            self.truncated += 1
            self._skip = length - kept
        messages.append((self.consumed, message.rstrip(_FILLER)))
        return True

    def _line(self, messages: list[tuple[int, bytes]]) -> bool:
        start = self._position
        found = _TERMINATOR.search(self._buffer, max(self._searched, start), start + self.max_message + 1)
        if found is not None:
            end = found.start()
            message = bytes(self._buffer[start:end])
            self._advance(end + 1 - start)
            messages.append((self.consumed, message.rstrip(b"\r")))
            return True
        if self.pending <= self.max_message:
            self._searched = len(self._buffer)
            return False
        message = bytes(self._buffer[start : start + self.max_message])
        self._advance(self.max_message)
        self.truncated += 1
        self._skip_line = True
        messages.append((self.consumed, message))
        return True

    def _skip_octets(self) -> bool:
        step = min(self._skip, self.pending)
        self._skip -= step
        self._advance(step)
        return step > 0

    def _skip_to_terminator(self) -> bool:
        found = _TERMINATOR.search(self._buffer, self._position)
        if found is None:
            self._advance(self.pending)
            return False
        self._skip_line = False
        self._advance(found.end() - self._position)
        return True

    def _skip_filler(self) -> None:
        end = self._position
        while end < len(self._buffer) and self._buffer[end] in _FILLER:
            end += 1
        self._advance(end - self._position)

    def _advance(self, count: int) -> None:
        self._position += count
        self.consumed += count
