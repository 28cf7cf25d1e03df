"""Syslog over TLS (RFC 5425), and over TLCP in the same way.

The protocol has no acknowledgement. What is covered: a record is read from the link only as fast as the spool takes it, and on an
orderly end all that came is on disk before the good-bye. What is not: bytes that the system had received when this process was
killed (at most one read of 64 KiB and the socket's receive buffer). Senders that need more use HTTPS or a forwarder.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from collectors.framing import DEFAULT_MAX_MESSAGE, SyslogFramer
from collectors.links.listener import Session
from crypto.channel.errors import ChannelClosedError, ChannelTimeoutError
from kernel.record import RawRecord, Sink

_READ = 64 * 1024
_TURN_SECONDS = 0.5


def syslog_speaker(source: str, sink: Sink, max_message: int = DEFAULT_MAX_MESSAGE) -> Callable[[Session], None]:
    """What is said over each link of a syslog listener."""

    def speak(session: Session) -> None:
        framer = SyslogFramer(max_message)
        last_heard = time.monotonic()
        while not session.stopping() and time.monotonic() - last_heard < session.idle_seconds:
            try:
                data = session.link.receive(_READ, _TURN_SECONDS)
            except ChannelTimeoutError:
                continue
            except ChannelClosedError:
                break
            last_heard = time.monotonic()
            put(session, framer.feed(data), len(data))
        put(session, framer.finish(), 0)

    def put(session: Session, messages: list[tuple[int, bytes]], size: int) -> None:
        now = time.time_ns() // 1000
        records = [
            RawRecord(source, "syslog", now, session.origin, message, session.stream, end) for end, message in messages if message
        ]
        if records:
            sink.put(records)
        session.took(len(records), size, now if records else 0)

    return speak
