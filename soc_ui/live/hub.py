"""All open streams in one thread: it reads what changed once for everybody, and tells each what they may know.

A stream costs a socket and a little memory, no thread: pages go on answering however many screens are watching.
"""

from __future__ import annotations

import contextlib
import json
import logging
import selectors
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from kernel.db import Database
from kernel.errors import StateUnavailable
from operations.accounts.schema import Principal
from operations.changes.feed import KINDS, Change, Feed, Mark, limited, missed, visible

POLL_SECONDS = 0.2
HEARTBEAT_SECONDS = 15.0
RECHECK_SECONDS = 3.0
RECHECKS_MOST_SECONDS = 0.1
"""How long a round may look again, so that news does not wait: half of a processor at most, a thousand streams in two seconds."""

MOST_STREAMS = 1000
MOST_STREAMS_OF_ONE = 12
MOST_WAITING_BYTES = 64 * 1024
ONE_BY_ONE = 20
"""More changes of one kind than this in one round are told as one."""

_log = logging.getLogger(__name__)

Recheck = Callable[[], Principal | None]


class Full(Exception):
    """No further stream. ``own``: this account has too many; else the console has."""

    def __init__(self, *, own: bool) -> None:
        super().__init__("too many live streams")
        self.own = own


@dataclass(eq=False)
class Stream:
    """One client. ``recheck`` says who it is now, None where the session or key has ended."""

    sock: socket.socket
    who: Principal
    recheck: Recheck
    mark: Mark | None
    waiting: bytearray = field(default_factory=bytearray)
    checked: float = 0.0


class Hub:
    """The thread begins with the first stream."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._reserved: dict[int, int] = {}  # account → streams that are open or about to be
        self._arrived: list[Stream] = []
        self._streams: set[Stream] = set()
        self._selector: selectors.BaseSelector
        self._bell: socket.socket
        self._ear: socket.socket
        self._thread: threading.Thread | None = None
        self._feed: Feed | None = None
        self._stopping = False
        self._turn = 0.0
        self.dropped = 0

    def reserve(self, who: Principal) -> None:
        """A place for a stream of ``who``, which :meth:`add` fills or :meth:`release` gives back. Raises Full."""
        with self._lock:
            if sum(self._reserved.values()) >= MOST_STREAMS:
                raise Full(own=False)
            if self._reserved.get(who.user_id, 0) >= MOST_STREAMS_OF_ONE:
                raise Full(own=True)
            self._reserved[who.user_id] = self._reserved.get(who.user_id, 0) + 1

    def release(self, who: Principal) -> None:
        """Give a place back."""
        with self._lock:
            left = self._reserved.get(who.user_id, 0) - 1
            if left > 0:
                self._reserved[who.user_id] = left
            else:
                self._reserved.pop(who.user_id, None)

    def add(self, sock: socket.socket, head: bytes, who: Principal, recheck: Recheck, mark: Mark | None) -> None:
        """Take a socket over for good; ``head`` is the answer's head. ``mark``: what the client has seen, None = it is new."""
        sock.setblocking(False)
        with self._lock:
            # Screens that all come at once (a console that restarts) are not looked up all at once: golden ratio, evenly spread.
            self._turn = (self._turn + 0.618) % 1.0
            checked = time.monotonic() - self._turn * RECHECK_SECONDS
            self._arrived.append(Stream(sock, who, recheck, mark, bytearray(head), checked))
            if self._thread is None:
                self._begin()
        self._ring()

    def stop(self) -> None:
        """End all streams and the thread."""
        self._stopping = True
        if self._thread is not None:
            self._ring()
            self._thread.join()

    def __len__(self) -> int:
        return len(self._streams)

    def _begin(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._bell, self._ear = socket.socketpair()
        self._bell.setblocking(False)
        self._ear.setblocking(False)
        self._selector.register(self._ear, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, name="live", daemon=True)
        self._thread.start()

    def _ring(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._bell.send(b"\0")

    def _run(self) -> None:
        polled = told = time.monotonic()
        while not self._stopping:
            self._wait(None if not self._streams else max(0.0, polled + POLL_SECONDS - time.monotonic()))
            try:
                self._let_in()
                present = time.monotonic()
                if present - polled >= POLL_SECONDS and self._streams:
                    polled = present
                    changes = self._read()
                    with self._all_or_none(list(self._streams)):
                        self._tell(changes)
                    self._look_again(present)
                if present - told >= HEARTBEAT_SECONDS:
                    told = present
                    for stream in list(self._streams):
                        self._send(stream, b": still here\n\n")
            except StateUnavailable as error:
                _log.warning("live streams: %s", error)
                time.sleep(POLL_SECONDS)
            except Exception:
                _log.exception("live streams")
                time.sleep(1.0)
        for stream in list(self._streams):
            self._drop(stream)

    def _wait(self, seconds: float | None) -> None:
        for key, events in self._selector.select(seconds):
            if key.fileobj is self._ear:
                with contextlib.suppress(BlockingIOError):
                    while self._ear.recv(4096):
                        pass
                continue
            stream: Stream = key.data
            if events & selectors.EVENT_READ and not self._alive(stream):
                self._drop(stream)
            elif events & selectors.EVENT_WRITE:
                self._flush(stream)

    def _let_in(self) -> None:
        with self._lock:
            arrived, self._arrived = self._arrived, []
        if not arrived:
            return
        nobody = not self._streams
        for stream in arrived:
            self._streams.add(stream)
            self._selector.register(stream.sock, selectors.EVENT_READ, stream)
        with self._all_or_none(arrived):
            if self._feed is None:
                self._feed = Feed(self._database)
            elif nobody:
                self._feed.restart()
            for stream in arrived:
                self._greet(stream)

    @contextlib.contextmanager
    def _all_or_none(self, streams: Sequence[Stream]) -> Iterator[None]:
        """Who could not be told everything is cut off: it comes back with its mark and is told then. Going on would be a gap."""
        try:
            yield
        except Exception:
            for stream in streams:
                self._drop(stream)
            raise

    def _greet(self, stream: Stream) -> None:
        """The head, how soon to come back, and what happened while the client was away."""
        assert self._feed is not None
        text = "retry: 2000\n\n"
        if stream.mark is None:
            text += _event("hello", {}, self._feed.mark)
        elif stream.mark.beyond(self._feed.mark):
            text += _event("reset", {}, self._feed.mark)  # the database was restored from a backup
        else:
            with limited(self._database, stream.who).read() as session:
                found = missed(session, stream.mark)
                seen = None if found is None else visible(session, _permitted(stream.who, found), scoped=_scoped(stream.who))
            text += _event("reset", {}, self._feed.mark) if seen is None else _events(seen, self._feed.mark)
        self._send(stream, text.encode())

    def _read(self) -> list[Change]:
        assert self._feed is not None
        return self._feed.poll()

    def _tell(self, changes: Sequence[Change]) -> None:
        """Each scope is asked once what of it may be seen, however many streams have it."""
        if not changes:
            return
        assert self._feed is not None
        told: dict[tuple[frozenset[str] | None, frozenset[str], frozenset[str]], bytes] = {}
        for stream in list(self._streams):
            kinds = frozenset(kind for kind, permission in KINDS.items() if stream.who.may(permission))
            key = (stream.who.zones, stream.who.organisations, kinds)
            if key not in told:
                with limited(self._database, stream.who).read() as session:
                    seen = visible(session, _permitted(stream.who, changes), scoped=_scoped(stream.who))
                told[key] = _events(seen, self._feed.mark).encode()
            if told[key]:
                self._send(stream, told[key])

    def _look_again(self, present: float) -> None:
        """Who was logged out, switched off or limited loses the stream or sees less, within seconds."""
        due = sorted((one for one in self._streams if present - one.checked >= RECHECK_SECONDS), key=lambda one: one.checked)
        for stream in due:
            if time.monotonic() - present > RECHECKS_MOST_SECONDS:
                break  # the rest is the oldest of the next round
            stream.checked = present
            now = stream.recheck()
            if now is None or now.pending:
                self._send(stream, _event("over", {}, None).encode())
                self._drop(stream)
            else:
                stream.who = now

    def _send(self, stream: Stream, data: bytes) -> None:
        stream.waiting += data
        if len(stream.waiting) > MOST_WAITING_BYTES:
            self.dropped += 1  # it does not read; it comes back with its mark
            self._drop(stream)
        else:
            self._flush(stream)

    def _flush(self, stream: Stream) -> None:
        try:
            while stream.waiting:
                del stream.waiting[: stream.sock.send(stream.waiting)]
        except BlockingIOError:
            pass
        except OSError:
            self._drop(stream)
            return
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if stream.waiting else 0)
        if stream in self._streams and self._selector.get_key(stream.sock).events != wanted:
            self._selector.modify(stream.sock, wanted, stream)

    def _alive(self, stream: Stream) -> bool:
        """A client has nothing more to say: what it sends is thrown away, its end is the end."""
        try:
            return bool(stream.sock.recv(4096))
        except BlockingIOError:
            return True
        except OSError:
            return False

    def _drop(self, stream: Stream) -> None:
        if stream not in self._streams:
            return
        self._streams.discard(stream)
        self._selector.unregister(stream.sock)
        with contextlib.suppress(OSError):
            stream.sock.shutdown(socket.SHUT_RDWR)
        stream.sock.close()
        self.release(stream.who)


def _scoped(who: Principal) -> bool:
    return who.zones is not None


def _permitted(who: Principal, changes: Sequence[Change]) -> list[Change]:
    return [one for one in changes if who.may(KINDS[one.kind])]


def _events(changes: Sequence[Change], mark: Mark) -> str:
    """Events as text; only the last carries the mark, so a client that is cut off in the middle is told again."""
    if not changes:
        return ""
    kinds: dict[tuple[str, bool], list[Change]] = {}
    for one in changes:
        kinds.setdefault((one.kind, one.act == "alert.new"), []).append(one)
    texts = []
    for (kind, new), group in kinds.items():
        if len(group) > ONE_BY_ONE:
            texts.append(
                (kind, {"id": 0, "act": f"{kind}.new" if new else f"{kind}.many", "level": "", "status": "", "count": len(group)})
            )
        else:
            texts += [(kind, {"id": one.id, "act": one.act, "level": one.level, "status": one.status, "count": 1}) for one in group]
    last = len(texts) - 1
    return "".join(_event(kind, body, mark if at == last else None) for at, (kind, body) in enumerate(texts))


def _event(kind: str, body: dict[str, object], mark: Mark | None) -> str:
    identity = f"id: {mark}\n" if mark else ""
    return f"event: {kind}\n{identity}data: {json.dumps(body, separators=(',', ':'))}\n\n"
