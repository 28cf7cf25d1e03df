"""Sends the records of this host's spool to another Liandun over a link, and goes on where the other side has acknowledged.

Killed at any moment on either side nothing is lost (the place moves only after the acknowledgement, which comes after the other
side's fsync) and nothing is doubled (every record carries its stream and offset, or spool and position, and the receiving pipeline
drops what it has seen).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator

import h11
import msgspec

from crypto.channel.errors import ChannelError
from crypto.channel.link import Link
from kernel.record import Counters, decode_record
from kernel.spool import SpoolReader
from kernel.spool.ledger import Entry, LedgerEntry, spool_name

log = logging.getLogger("liandun.forward")

_REQUEST_BYTES = 1 << 20
_ANSWER_SECONDS = 120.0
_LONGEST_PAUSE = 30.0
_IDLE_SECONDS = 0.3


class Forwarder:
    """Reads one spool for one other side.

    connect  opens a link; raises ChannelError or OSError
    release  True where this host keeps no events itself: what has been acknowledged is removed from the spool
    """

    def __init__(self, reader: SpoolReader, ledger: LedgerEntry, connect: Callable[[], Link], *, release: bool = False) -> None:
        self.counters: Counters = {"sent": 0, "requests": 0, "links": 0, "skipped": 0, "damaged_bytes": 0, "last_sent": 0.0}
        self.problem = ""
        self.position = 0
        self._reader = reader
        self._ledger = ledger
        self._connect = connect
        self._release = release
        self._spool = spool_name(reader.folder)
        entry = ledger.read()
        self.position = entry.position if entry.spool == self._spool else 0
        self._link: Link | None = None
        self._protocol = h11.Connection(h11.CLIENT)

    def run(self, stop: threading.Event, *, until_empty: bool = False) -> None:
        """Forward until ``stop``, or until all that is there now is acknowledged."""
        pause = 1.0
        try:
            while not stop.is_set():
                try:
                    moved = self.step()
                    self.problem, pause = "", 1.0
                except (ChannelError, OSError, h11.ProtocolError, ForwardRefusedError) as error:
                    self.problem = str(error)
                    log.warning("nothing can be forwarded, next try in %.0f s: %s", pause, error)
                    self._hang_up()
                    stop.wait(pause)
                    pause = min(pause * 2, _LONGEST_PAUSE)
                    continue
                if not moved:
                    if until_empty:
                        return
                    stop.wait(_IDLE_SECONDS)
        finally:
            self._hang_up()

    def step(self) -> int:
        """Send what one read gives and move on; the number of records read."""
        batch = self._reader.read(self.position, max_records=5000, max_bytes=4 * _REQUEST_BYTES)
        self.counters["damaged_bytes"] += batch.damaged_bytes
        if batch.next_position == self.position:
            return 0
        link = self._opened()
        target = link.facts.peer.name
        records = []
        for position, data in batch.records:
            if target in decode_record(data).source.split("/")[:-1]:
                self.counters["skipped"] += 1  # it came from there
            else:
                records.append((position, data))
        for request in _requests(records):
            self._post(link, msgspec.msgpack.encode((self._spool, request)))
            self.counters["sent"] += len(request)
            self.counters["last_sent"] = time.time()
        self.position = batch.next_position
        self._ledger.write(Entry(self.position, self._spool))
        if self._release:
            self._reader.release(self.position)
        return len(batch.records)

    def details(self) -> Counters:
        """For the health file: counters, and what was agreed on the link."""
        link = self._link
        agreed = {}
        if link is not None:
            facts = link.facts
            agreed = {"peer": facts.peer.name, "protocol": facts.protocol, "suite": facts.suite, "group": facts.group}
            agreed |= {"domestic": facts.domestic}
        return {**self.counters, "waiting_bytes": self._reader.waiting_bytes(self.position), "link": agreed}

    def _opened(self) -> Link:
        if self._link is None:
            self._link = self._connect()
            self._protocol = h11.Connection(h11.CLIENT)
            self.counters["links"] += 1
            facts = self._link.facts
            log.info("forwarding to %s: %s %s %s", facts.peer.name, facts.protocol, facts.suite, facts.group)
        return self._link

    def _hang_up(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.close()

    def _post(self, link: Link, body: bytes) -> None:
        """Send one request and wait for its acknowledgement."""
        protocol = self._protocol
        headers = [("Host", "liandun"), ("Content-Type", "application/msgpack"), ("Content-Length", str(len(body)))]
        for event in (h11.Request(method="POST", target="/records", headers=headers), h11.Data(data=body), h11.EndOfMessage()):
            link.send(protocol.send(event) or b"", _ANSWER_SECONDS)
        status, told = 0, b""
        while True:
            answer = protocol.next_event()
            if answer is h11.NEED_DATA:
                protocol.receive_data(link.receive(65536, _ANSWER_SECONDS))
            elif isinstance(answer, h11.Response):
                status = answer.status_code
            elif isinstance(answer, h11.Data):
                told += bytes(answer.data)
            elif isinstance(answer, h11.EndOfMessage):
                break
            elif isinstance(answer, h11.ConnectionClosed):
                raise ForwardRefusedError("the other side closed the link without an answer")
        self.counters["requests"] += 1
        if status != 200:
            raise ForwardRefusedError(f"the other side answered {status}: {told[:200].decode('utf-8', 'replace')}")
        protocol.start_next_cycle()


class ForwardRefusedError(Exception):
    """The other side took nothing of a request; it is sent again."""


def _requests(records: list[tuple[int, bytes]]) -> Iterator[list[tuple[int, bytes]]]:
    """Cut so that a request stays small; one record is never cut."""
    current: list[tuple[int, bytes]] = []
    size = 0
    for position, data in records:
        if current and size + len(data) > _REQUEST_BYTES:
            yield current
            current, size = [], 0
        current.append((position, data))
        size += len(data) + 16
    if current:
        yield current
