"""The packets behind an event: which conversation it tells of, its slice of the kept captures, and what is in them.

Slicing and dissecting happen in processes of their own (collectors.packet_helper), few at a time. A slice is kept in memory for a
moment, since a page asks for it several times: facts, table, layers, file. Who may see the alert is checked before anybody comes
here, and what is kept is by conversation and time, so nothing is given to whom it does not belong.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from collectors.packet_dissection import Layer, Table
from collectors.packet_helper import layers_apart, slice_apart, table_apart
from collectors.packet_slice import SECOND, CapturePlace, Conversation, FileTimes, Slice, SliceLimits, Span
from kernel.errors import StoreError
from kernel.event import Event, is_ip, parse_timestamp

BEFORE, AFTER, LONGEST = 60, 300, 86_400
"""Seconds before and after what the event tells; a connection that is longer is looked at for so long around the event."""

AT_ONCE = 2
WAIT_SECONDS = 20.0
MOST_WAITING = 2
"""Who waits keeps a thread of the console, of which there are eight: who comes after these is told at once to come again."""

KEEP_SECONDS = 60.0
KEEP_BYTES = 96 << 20
_MOST_TIMES = 20_000
_TIMES = ("event.start", "event.end", "suricata.eve.flow.start", "suricata.eve.flow.end")


def conversation_of(event: Event) -> Conversation | None:
    """Between whom; None where the event names no two addresses."""
    for one, other in (("source", "destination"), ("client", "server")):
        ends = [event.get(f"{side}.ip") for side in (one, other)]
        if all(isinstance(address, str) and is_ip(address) for address in ends):
            ports = [_port(event.get(f"{side}.port")) for side in (one, other)]
            transport = event.get("network.transport")
            return Conversation(str(ends[0]), str(ends[1]), *ports, transport if isinstance(transport, str) else "")
    return None


def span_of(event: Event) -> Span | None:
    """When: around the connection where the event tells its times, else around the event; None where it has no time."""
    moment = _nanoseconds(event.get("@timestamp"))
    if moment is None:
        return None
    told = [_nanoseconds(event.get(field)) for field in _TIMES]
    known = [moment, *(each for each in told if each is not None and abs(each - moment) <= LONGEST * SECOND)]
    return Span(min(known) - BEFORE * SECOND, max(known) + AFTER * SECOND)


class PacketDesk:
    """``places``: where captures lie on this machine."""

    def __init__(self, places: Sequence[CapturePlace], limits: SliceLimits | None = None) -> None:
        self.places = list(places)
        self._limits = limits
        self._turn = threading.BoundedSemaphore(AT_ONCE)
        self._line = threading.BoundedSemaphore(AT_ONCE + MOST_WAITING)
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[Conversation, Span], tuple[float, Slice]] = OrderedDict()
        self._times: FileTimes = {}

    def slice(self, conversation: Conversation, span: Span) -> Slice:
        """Raises HelperFailed, ParseError, StoreError (too many at once)."""
        key = (conversation, span)
        if (found := self._known(key)) is not None:
            return found
        with self._in_turn():
            found = slice_apart(self.places, conversation, span, self._limits, self._times)
        with self._lock:
            self._times = found.times if len(found.times) <= _MOST_TIMES else {}
            self._kept[key] = (time.monotonic() + KEEP_SECONDS, found)
            while len(self._kept) > 1 and sum(each.octets for _until, each in self._kept.values()) > KEEP_BYTES:
                self._kept.popitem(last=False)
        return found

    def table(self, found: Slice) -> Table:
        """Raises HelperFailed, TsharkMissing, StoreError."""
        with self._in_turn():
            return table_apart(found.pcap)

    def layers(self, found: Slice, number: int) -> list[Layer]:
        """Of packet ``number`` (from 1). Raises HelperFailed, TsharkMissing, StoreError."""
        with self._in_turn():
            return layers_apart(found.pcap, number)

    def _known(self, key: tuple[Conversation, Span]) -> Slice | None:
        now = time.monotonic()
        with self._lock:
            for old in [each for each, (until, _slice) in self._kept.items() if until < now]:
                del self._kept[old]
            return self._kept[key][1] if key in self._kept else None

    @contextlib.contextmanager
    def _in_turn(self) -> Iterator[None]:
        if not self._line.acquire(blocking=False):
            raise _busy()
        try:
            if not self._turn.acquire(timeout=WAIT_SECONDS):
                raise _busy()
            try:
                yield
            finally:
                self._turn.release()
        finally:
            self._line.release()


def _busy() -> StoreError:
    return StoreError("many people look at packets just now", "try again in a minute")


def _port(value: Any) -> int:
    return value if isinstance(value, int) and 0 < value < 65536 else 0


def _nanoseconds(value: Any) -> int | None:
    text = parse_timestamp(value) if isinstance(value, str) else None
    return None if text is None else round(datetime.fromisoformat(text).timestamp() * 1_000_000) * 1000
