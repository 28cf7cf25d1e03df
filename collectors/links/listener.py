"""Accepts links within limits, shakes hands, and hands each to what speaks over it.

One thread per link. Bounded: links in all and per address, handshakes at the same time and in duration; what is over a limit is
closed at once and counted. New certificates are taken up for new links when their files change; the listening socket stays.
"""

from __future__ import annotations

import collections
import contextlib
import logging
import select
import socket
import threading
import time
import uuid
from collections.abc import Callable
from typing import NamedTuple, Protocol

from collectors.sockets import origin_of
from crypto.channel.errors import ChannelError, HandshakeError
from crypto.channel.link import Credentials, Link, LinkFacts
from kernel.record import Counters
from kernel.spool import SpoolClosedError

log = logging.getLogger("liandun.links")

_RELOAD_SECONDS = 2.0
_MOST_PEERS = 1000


class Context(Protocol):
    """Tls13Context or TlcpContext."""

    def open(self, connected: socket.socket, *, timeout: float) -> Link: ...


class Limits(NamedTuple):
    """connections in all, per_address of them from one; handshakes at once, each in ``handshake_seconds``; ``idle_seconds``."""

    connections: int = 500
    per_address: int = 64
    handshakes: int = 32
    handshake_seconds: float = 10.0
    idle_seconds: float = 3600.0


class Session(NamedTuple):
    """One link as its speaker sees it.

    stream   name for ``RawRecord.stream``, never used before
    stopping True when the speaker should come to an end
    took     to be told (records, bytes, newest arrival) of what is on disk
    """

    link: Link
    origin: str
    stream: str
    idle_seconds: float
    stopping: Callable[[], bool]
    took: Callable[[int, int, int], None]


Speaker = Callable[[Session], None]


class LinkListener:
    """A collector (``run``, ``stop``, ``counters``) on one listening socket.

    make_context  called at the start and whenever the files of ``credentials`` have changed; raises ChannelError
    peers         names of certificates that may come; empty = all of the CA
    """

    def __init__(
        self,
        listener: socket.socket,
        credentials: Credentials,
        make_context: Callable[[Credentials], Context],
        speak: Speaker,
        *,
        limits: Limits = Limits(),
        peers: frozenset[str] = frozenset(),
    ) -> None:
        self.error = ""
        self.counters: Counters = {"received": 0, "bytes": 0, "dropped": 0, "connections": 0, "last_received": 0}
        self.counters |= {"handshakes": 0, "refused": {}, "peers": {}, "reloads": 0}
        self._listener = listener
        self._credentials = credentials
        self._make_context = make_context
        self._speak = speak
        self._limits = limits
        self._peers = peers
        self._stamp = credentials.stamp()
        self._context = make_context(credentials)
        self._next_look = 0.0
        self._lock = threading.Lock()
        self._open: dict[threading.Thread, str] = {}
        self._handshakes = threading.Semaphore(limits.handshakes)
        self._stopping = threading.Event()

    def run(self) -> None:
        """Accept until :meth:`stop`; returns when every link has been brought to an end."""
        self._listener.setblocking(False)
        poller = select.poll()
        poller.register(self._listener, select.POLLIN)
        while not self._stopping.is_set():
            ready = poller.poll(300)
            self._reload()
            if ready:
                self._accept()
        for thread in list(self._open):
            thread.join(5)

    def stop(self) -> None:
        """Links end at a record boundary, with a good-bye."""
        self._stopping.set()

    def _reload(self) -> None:
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + _RELOAD_SECONDS
        try:
            stamp = self._credentials.stamp()
            if stamp == self._stamp:
                return
            self._context = self._make_context(self._credentials)
            self._stamp, self.error = stamp, ""
            self.counters["reloads"] += 1
            log.info("new certificates are in use: %s", self._credentials.certificate)
        except (OSError, ChannelError) as error:
            if not self.error:
                log.error("the old certificates stay in use: %s", error)
            self.error = f"the old certificates stay in use: {error}"

    def _accept(self) -> None:
        try:
            connected, address = self._listener.accept()
        except OSError:
            return
        origin, host = origin_of(address), str(address[0])
        with self._lock:
            from_host = sum(1 for other in self._open.values() if other == host)
            if len(self._open) >= self._limits.connections or from_host >= self._limits.per_address:
                reason = "connections" if len(self._open) >= self._limits.connections else "per-address"
            else:
                reason = ""
                thread = threading.Thread(target=self._serve, args=(connected, origin), name=f"link-{origin}", daemon=True)
                self._open[thread] = host
                self.counters["connections"] = len(self._open)
        if reason:
            connected.close()
            self._refuse(reason, origin, "too many links")
            return
        thread.start()

    def _serve(self, connected: socket.socket, origin: str) -> None:
        try:
            link = self._shake(connected, origin)
            if link is not None:
                self._talk(link, origin)
        finally:
            with self._lock:
                self._open.pop(threading.current_thread(), None)
                self.counters["connections"] = len(self._open)

    def _shake(self, connected: socket.socket, origin: str) -> Link | None:
        seconds = self._limits.handshake_seconds
        if not self._handshakes.acquire(timeout=seconds):
            connected.close()
            self._refuse("handshakes", origin, "too many handshakes at the same time")
            return None
        try:
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            link = self._context.open(connected, timeout=seconds)
        except HandshakeError as error:
            self._refuse(error.reason, origin, str(error))
            return None
        except (ChannelError, OSError, ValueError) as error:
            connected.close()
            self._refuse("protocol", origin, str(error))
            return None
        finally:
            self._handshakes.release()
        if self._peers and link.facts.peer.name not in self._peers:
            self._refuse("peer", origin, f"{link.facts.peer.name} is not in the list of peers")
            link.close()
            return None
        return link

    def _talk(self, link: Link, origin: str) -> None:
        shown = self._note_peer(link.facts, origin)

        def took(records: int, size: int, newest: int) -> None:
            with self._lock:
                self.counters["received"] += records
                self.counters["bytes"] += size
                self.counters["last_received"] = max(newest, self.counters["last_received"])
                shown["records"] += records

        session = Session(link, origin, f"link:{uuid.uuid4().hex}", self._limits.idle_seconds, self._stopping.is_set, took)
        try:
            self._speak(session)
        except (ChannelError, SpoolClosedError) as error:
            log.info("link from %s (%s) ended: %s", origin, link.facts.peer.name, error)
        except Exception:  # one link must not take the others down
            log.exception("link from %s (%s) failed", origin, link.facts.peer.name)
        finally:
            link.close()
            with self._lock:
                shown["links"] -= 1

    def _note_peer(self, facts: LinkFacts, origin: str) -> dict[str, int | str | bool | float]:
        with self._lock:
            self.counters["handshakes"] += 1
            peers = self.counters["peers"]
            if facts.peer.name not in peers and len(peers) >= _MOST_PEERS:
                with contextlib.suppress(StopIteration):
                    del peers[next(name for name, one in peers.items() if not one["links"])]
            shown = peers.setdefault(facts.peer.name, collections.defaultdict(int))
            shown["links"] += 1
            shown |= {
                "origin": origin,
                "protocol": facts.protocol,
                "suite": facts.suite,
                "group": facts.group,
                "domestic": facts.domestic,
                "fingerprint": facts.peer.fingerprint,
                "expires": facts.peer.not_after,
                "last_handshake": time.time(),
            }
            shown["records"] += 0
        return shown

    def _refuse(self, reason: str, origin: str, message: str) -> None:
        log.warning("link from %s refused (%s): %s", origin, reason, message)
        with self._lock:
            refused = self.counters["refused"]
            refused[reason] = refused.get(reason, 0) + 1
