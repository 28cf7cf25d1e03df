"""Syslog over UDP (RFC 5426): best effort. What the kernel had to throw away is read from the socket and shown as ``dropped``."""

from __future__ import annotations

import select
import socket
import threading
import time

from collectors.sockets import datagrams_dropped, origin_of
from collectors.syslog.batches import BATCH, GATHER
from kernel.record import Counters, RawRecord, Sink


class UdpSyslog:
    """Receives datagrams on one bound socket and puts them, in order of arrival, to the sink.

    ``counters["dropped"]`` is what the kernel dropped on this socket since it was opened (receive buffer full).
    """

    def __init__(self, bound: socket.socket, sink: Sink, source: str = "syslog-udp") -> None:
        self.counters: Counters = {"received": 0, "bytes": 0, "dropped": 0, "empty": 0, "last_received": 0}
        self._socket = bound
        self._sink = sink
        self._source = source
        self._stopping = threading.Event()

    def run(self) -> None:
        """Receive until :meth:`stop`; call it in a thread of its own."""
        self._socket.setblocking(False)
        poller = select.poll()
        poller.register(self._socket, select.POLLIN)
        while not self._stopping.is_set():
            if not poller.poll(200):
                self._count_drops()
                continue
            batch: list[RawRecord] = []
            deadline = time.monotonic() + GATHER
            while self._drain(batch) and (left := deadline - time.monotonic()) > 0 and poller.poll(left * 1000):
                pass
            self._put(batch)

    def stop(self) -> None:
        """Make :meth:`run` return after the batch in hand."""
        self._stopping.set()

    def _drain(self, batch: list[RawRecord]) -> bool:
        """Take what is there; False when the batch is full."""
        receive, source = self._socket.recvfrom, self._source
        while len(batch) < BATCH:
            try:
                data, address = receive(65535)
            except (BlockingIOError, InterruptedError):
                return True
            except ConnectionError:
                continue  # an ICMP error for something this socket once sent
            self.counters["bytes"] += len(data)
            message = data.rstrip(b"\r\n\0")
            if message:
                batch.append(RawRecord(source, "syslog", time.time_ns() // 1000, origin_of(address), message))
            else:
                self.counters["empty"] += 1
        return False

    def _put(self, batch: list[RawRecord]) -> None:
        if not batch:
            return
        self._sink.put(batch)
        self.counters["received"] += len(batch)
        self.counters["last_received"] = batch[-1].received
        self._count_drops()

    def _count_drops(self) -> None:
        dropped = datagrams_dropped(self._socket)
        if dropped is not None:
            self.counters["dropped"] = dropped
