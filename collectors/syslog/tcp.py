"""Syslog over TCP (RFC 6587).

Promise: nothing is lost or doubled, even when this process is killed, as long as the sockets live on in a parent that
holds duplicates. Bytes are only *peeked*; they leave the kernel after the sink has them on disk. A restarted process is given the
same sockets and finds in them what was not yet taken. What was put but not yet taken is put again with the same offsets, which the
pipeline recognises: ``offset`` is the position of the message's end in the connection's byte stream, counted by the kernel.

Back-pressure: while the sink blocks nothing is read, the TCP window closes and the senders wait.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterable

from collectors.framing import DEFAULT_MAX_MESSAGE, SyslogFramer
from collectors.sockets import TCP_RECEIVE_BUFFER, bytes_taken, origin_of, set_receive_buffer
from collectors.syslog.batches import BATCH, GATHER
from kernel.record import Counters, RawRecord, Sink

log = logging.getLogger("liandun.syslog")

_PEEK = 256 * 1024


class _Connection:
    """One sender: its socket, its framer, and what has been framed but not yet taken out of the kernel."""

    def __init__(self, name: str, connected: socket.socket, start: int, max_message: int) -> None:
        self.name = name
        self.socket = connected
        self.framer = SyslogFramer(max_message, start)
        self.taken = start  # bytes that have left the kernel
        self.low_water = 1
        self.last_heard = time.monotonic()
        self.ended = False
        try:
            self.origin = origin_of(connected.getpeername())
        except OSError:
            self.origin = "unknown"  # reset before we looked

    def peek(self) -> tuple[list[tuple[int, bytes]], bool]:
        """New messages, and True if the kernel may hold more than was looked at."""
        known = self.framer.consumed + self.framer.pending - self.taken
        size = known + _PEEK
        try:
            data = self.socket.recv(size, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except (BlockingIOError, InterruptedError):
            return [], False
        except OSError:
            self.ended = True
            return [], False
        if len(data) > known:
            self.last_heard = time.monotonic()
            return self.framer.feed(memoryview(data)[known:]), len(data) == size
        if not data:
            self.ended = True
        return [], False

    def take(self, scratch: bytearray) -> None:
        """Remove from the kernel what the sink now has."""
        while self.taken < self.framer.consumed:
            room = min(len(scratch), self.framer.consumed - self.taken)
            try:
                count = self.socket.recv_into(scratch, room)
            except OSError:
                self.ended = True
                return
            if count == 0:
                return
            self.taken += count

    def set_low_water(self) -> None:
        """Wake us for new bytes only: an incomplete message that stays in the kernel would else keep the socket "readable"."""
        wanted = self.framer.pending + self.framer.wanted
        if wanted != self.low_water:
            self.low_water = wanted
            with contextlib.suppress(OSError):
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, wanted)


class TcpSyslog:
    """Serves one listening socket and all its connections in one thread.

    listener   bound and listening; None when a parent accepts and hands over connections through :meth:`adopt`
    adopted    connections that outlived an earlier process: (connection id, socket)
    on_accept  called with (connection id, socket) before its first byte is read
    on_close   called with the connection id when all of it is on disk and the socket closed here
    idle       seconds without a byte after which a connection is closed; 0 = never
    """

    def __init__(
        self,
        listener: socket.socket | None,
        sink: Sink,
        source: str = "syslog-tcp",
        *,
        adopted: Iterable[tuple[str, socket.socket]] = (),
        on_accept: Callable[[str, socket.socket], None] | None = None,
        on_close: Callable[[str], None] | None = None,
        max_connections: int = 1000,
        max_message: int = DEFAULT_MAX_MESSAGE,
        idle: float = 0.0,
    ) -> None:
        self.counters: Counters = {"received": 0, "bytes": 0, "dropped": 0, "connections": 0, "accepted": 0, "refused": 0}
        self.counters |= {"truncated": 0, "closed_idle": 0, "last_received": 0}
        self._listener = listener
        if listener is not None:
            set_receive_buffer(listener, TCP_RECEIVE_BUFFER)  # connections inherit it
        self._sink = sink
        self._source = source
        self._on_accept = on_accept or (lambda name, connected: None)
        self._on_close = on_close or (lambda name: None)
        self._max_connections = max_connections
        self._max_message = max_message
        self._idle = idle
        self._connections: dict[int, _Connection] = {}
        self._adopted = list(adopted)
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._scratch = bytearray(_PEEK)

    def adopt(self, name: str, connected: socket.socket) -> None:
        """Take over a connection, from any thread."""
        with self._lock:
            self._adopted.append((name, connected))
        os.eventfd_write(self._wake, 1)

    def connections(self) -> list[tuple[str, socket.socket]]:
        """(connection id, socket) of all that is open: what a successor adopts when :meth:`run` has failed."""
        return [(connection.name, connection.socket) for connection in self._connections.values()] + self._adopted

    def stop(self) -> None:
        """Make :meth:`run` return after the batch in hand; connections stay open for whoever holds duplicates."""
        self._stopping.set()
        os.eventfd_write(self._wake, 1)

    def run(self) -> None:
        """Serve until :meth:`stop`; call it in a thread of its own."""
        with select.epoll() as poller:
            self._poller = poller
            poller.register(self._wake, select.EPOLLIN)
            if self._listener is not None:
                self._listener.setblocking(False)
                poller.register(self._listener, select.EPOLLIN)
            last_small = True
            while not self._stopping.is_set():
                self._take_in_adopted()
                events = poller.poll(1.0)
                if last_small and events and self._connections:
                    time.sleep(GATHER / 2)
                    events = poller.poll(0)
                last_small = self._round(events) < BATCH // 4
                self._close_idle()
            for connection in list(self._connections.values()):
                poller.unregister(connection.socket)
                connection.socket.close()
        os.close(self._wake)

    def _round(self, events: list[tuple[int, int]]) -> int:
        """Serve all sockets that have something; returns the number of records put."""
        batch: list[RawRecord] = []
        touched: dict[int, _Connection] = {}
        put = 0
        for descriptor, mask in events:
            if self._listener is not None and descriptor == self._listener.fileno():
                self._accept()
                continue
            connection = self._connections.get(descriptor)
            if connection is None:
                if descriptor == self._wake:
                    with contextlib.suppress(BlockingIOError):
                        os.eventfd_read(self._wake)
                continue
            touched[descriptor] = connection
            more = self._read(connection, batch)
            if mask & (select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR) or connection.ended:
                # the peer has finished: all it ever sent is in the kernel, so read to the end before closing
                while more:
                    put += self._commit(batch, touched)
                    more = self._read(connection, batch)
                connection.ended = True
                self._finish(connection, batch)
            if len(batch) >= BATCH:
                put += self._commit(batch, touched)
        put += self._commit(batch, touched)
        for connection in touched.values():
            if connection.ended:
                self._close(connection)
        return put

    def _read(self, connection: _Connection, batch: list[RawRecord]) -> bool:
        before = connection.framer.truncated
        messages, more = connection.peek()
        self._frame(connection, messages, batch)
        self.counters["truncated"] += connection.framer.truncated - before
        return more

    def _finish(self, connection: _Connection, batch: list[RawRecord]) -> None:
        before = connection.framer.truncated
        self._frame(connection, connection.framer.finish(), batch)
        self.counters["truncated"] += connection.framer.truncated - before

    def _frame(self, connection: _Connection, messages: list[tuple[int, bytes]], batch: list[RawRecord]) -> None:
        now, stream = time.time_ns() // 1000, f"tcp:{connection.name}"
        batch += [
            RawRecord(self._source, "syslog", now, connection.origin, message, stream, end) for end, message in messages if message
        ]

    def _commit(self, batch: list[RawRecord], touched: dict[int, _Connection]) -> int:
        """Make the batch durable, then take its bytes out of the kernel."""
        count = len(batch)
        for start in range(0, count, BATCH):
            self._sink.put(batch[start : start + BATCH])
        if count:
            self.counters["received"] += count
            self.counters["last_received"] = batch[-1].received
        batch.clear()
        for connection in touched.values():
            before = connection.taken
            connection.take(self._scratch)
            connection.set_low_water()
            self.counters["bytes"] += connection.taken - before
        return count

    def _accept(self) -> None:
        assert self._listener is not None
        for _ in range(64):
            try:
                connected, _address = self._listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return
            except OSError:
                self.counters["refused"] += 1  # out of descriptors: the sender stays in the backlog
                return
            if len(self._connections) >= self._max_connections:
                self.counters["refused"] += 1
                connected.close()
                continue
            name = uuid.uuid4().hex
            self._on_accept(name, connected)
            self.counters["accepted"] += 1
            self._add(name, connected, 0)

    def _take_in_adopted(self) -> None:
        with self._lock:
            waiting, self._adopted = self._adopted, []
        for name, connected in waiting:
            try:
                self._add(name, connected, bytes_taken(connected))
            except OSError as error:
                log.warning("a syslog connection left by an earlier process cannot be read: %s", error)
                connected.close()
                self._on_close(name)

    def _add(self, name: str, connected: socket.socket, start: int) -> None:
        connected.setblocking(False)
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        # a mark left by an earlier process would hide what waits
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
        self._connections[connected.fileno()] = _Connection(name, connected, start, self._max_message)
        self._poller.register(connected, select.EPOLLIN | select.EPOLLRDHUP)
        self.counters["connections"] = len(self._connections)

    def _close(self, connection: _Connection) -> None:
        descriptor = connection.socket.fileno()
        if self._connections.pop(descriptor, None) is None:
            return
        self._poller.unregister(descriptor)
        connection.socket.close()
        self.counters["connections"] = len(self._connections)
        self._on_close(connection.name)

    def _close_idle(self) -> None:
        if not self._idle:
            return
        limit = time.monotonic() - self._idle
        for connection in [c for c in self._connections.values() if c.last_heard < limit]:
            batch: list[RawRecord] = []
            self._finish(connection, batch)
            self._commit(batch, {connection.socket.fileno(): connection})
            self.counters["closed_idle"] += 1
            self._close(connection)
