"""The raw record: what a collector hands over, byte for byte as it arrived.

``stream`` and ``offset`` make re-delivery harmless. A *stream* is an ordered source that can be read again after a crash
(one file by its fingerprint, one TCP connection); ``offset`` grows strictly within it (bytes or record numbers). The pipeline
remembers the highest offset committed per stream and drops what it has already seen. A source without such an order (UDP)
leaves ``stream`` empty; its records are told apart by their position in the spool.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec

from kernel.event import Event


class RawRecord(msgspec.Struct, array_like=True, frozen=True):
    """One record as received.

    source    configured source id, e.g. ``syslog-tcp`` (shown on the sources page)
    format    name of the parser that reads it, a key of ``collectors.parsers.PARSERS``
    received  arrival, microseconds since the epoch (UTC)
    origin    where it came from: ``192.0.2.7:514`` or a file path
    raw       the bytes as they arrived (without framing)
    stream    replayable stream it belongs to, or ""
    offset    strictly growing position within ``stream``
    """

    source: str
    format: str
    received: int
    origin: str
    raw: bytes
    stream: str = ""
    offset: int = -1


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(RawRecord)


def encode_record(record: RawRecord) -> bytes:
    """Spool form of a record (MessagePack array)."""
    return _encoder.encode(record)


def decode_record(data: bytes | memoryview) -> RawRecord:
    """Inverse of :func:`encode_record`; raises ``msgspec.DecodeError`` on damage."""
    return _decoder.decode(data)


class Sink(Protocol):
    """Where collectors put records. Returns only when all of them are on disk; blocks while the disk is full."""

    def put(self, records: Sequence[RawRecord]) -> None: ...


Parser = Callable[[RawRecord], list[Event]]
"""Raw record → ECS events (without ``event.id``: the pipeline gives it). Raises ParseError for what it cannot read."""

Counters = dict[str, Any]
