"""Sockets that outlive the process that reads them.

The ingest role and the supervisor hold the same listening and connected sockets (duplicated descriptors). If ingest is
killed, the kernel keeps receiving for the supervisor's duplicates and the next ingest gets them back; if the supervisor is
killed, ingest goes on and the next supervisor asks for them. A plain TCP syslog sender (RFC 6587 has no acknowledgement)
therefore never notices a crash of one of them.

Protocol on ``<data>/run/ingest.sock`` (Unix SOCK_SEQPACKET, one message each, MessagePack ``[verb, name]``):
ingest sends ``hold`` with one descriptor for every socket it has, then for each new one; ``drop`` when one is closed.
Names: ``listen:<source>`` and ``conn:<source>:<id>``.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
from collections.abc import Callable, Iterator, MutableMapping
from pathlib import Path

import msgspec

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[str, str]).decode

ENVIRONMENT = "LIANDUN_SOCKETS"
LONGEST_ADDRESS = 107
_CREDENTIALS = struct.Struct("3i")  # struct ucred: pid, uid, gid


def inherited_sockets(environ: MutableMapping[str, str]) -> dict[str, socket.socket]:
    """Sockets handed down by the supervisor, by name; the variable is removed so that children do not see it."""
    text = environ.pop(ENVIRONMENT, "")
    names = msgspec.json.decode(text, type=dict[str, int]) if text else {}
    found = {name: socket.socket(fileno=fd) for name, fd in names.items()}
    for sock in found.values():
        sock.set_inheritable(False)  # programs that this process starts must not keep the address taken
    return found


@contextlib.contextmanager
def unix_address(path: Path) -> Iterator[str]:
    """The path as a socket address; a long one (unix(7): at most 107 bytes) by way of its folder's descriptor."""
    if len(os.fsencode(path)) <= LONGEST_ADDRESS:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def office_process(path: Path) -> int:
    """Process number of the ingest that answers at ``path``. Raises OSError."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as probe, unix_address(path) as address:
        probe.connect(address)
        credentials = probe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    return int(_CREDENTIALS.unpack(credentials)[0])


class SocketOffice:
    """Ingest's side: tells every connected keeper which sockets to hold."""

    def __init__(self, path: Path) -> None:
        self._held: dict[str, socket.socket] = {}
        self._keepers: list[socket.socket] = []
        self._lock = threading.Lock()
        self._path = path
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with unix_address(path) as address:
            self._listener.bind(address)
        os.chmod(path, 0o600)
        self._listener.listen(2)
        self.keeper_lost = threading.Event()
        threading.Thread(target=self._serve, name="socket-office", daemon=True).start()

    def hold(self, name: str, sock: socket.socket) -> None:
        """Have the keeper hold a duplicate of ``sock``; returns when the message is in its queue."""
        with self._lock:
            self._held[name] = sock
            for keeper in list(self._keepers):
                self._send(keeper, "hold", name, sock)

    def drop(self, name: str) -> None:
        """Have the keeper close its duplicate."""
        with self._lock:
            self._held.pop(name, None)
            for keeper in list(self._keepers):
                self._send(keeper, "drop", name, None)

    @property
    def kept(self) -> bool:
        """True while a supervisor holds duplicates."""
        return bool(self._keepers)

    def _send(self, keeper: socket.socket, verb: str, name: str, sock: socket.socket | None) -> None:
        try:
            socket.send_fds(keeper, [_encode((verb, name))], [sock.fileno()] if sock else [])
        except OSError:
            self._lose(keeper)

    def _lose(self, keeper: socket.socket) -> None:
        if keeper in self._keepers:
            self._keepers.remove(keeper)
            keeper.close()
        if not self._keepers:
            self.keeper_lost.set()

    def _serve(self) -> None:
        while True:
            try:
                keeper, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self._keepers.append(keeper)
                self.keeper_lost.clear()
                for name, sock in self._held.items():
                    self._send(keeper, "hold", name, sock)
            threading.Thread(target=self._watch, args=(keeper,), daemon=True).start()

    def _watch(self, keeper: socket.socket) -> None:
        """A keeper never speaks; end of stream means it died."""
        with contextlib.suppress(OSError):
            keeper.recv(1)
        with self._lock:
            self._lose(keeper)

    def close(self) -> None:
        self._listener.close()
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()


class SocketKeeper:
    """The supervisor's side: holds duplicates and hands them to the next ingest."""

    def __init__(self) -> None:
        self._descriptors: dict[str, int] = {}
        self._lock = threading.Lock()
        self._connection: socket.socket | None = None

    def hold(self, name: str, sock: socket.socket) -> None:
        """Hold a socket that the supervisor itself made (a listener, before ingest first runs)."""
        self._replace(name, os.dup(sock.fileno()))

    def connect(self, path: Path, on_lost: Callable[[], None] = lambda: None) -> bool:
        """Attach to a running ingest; False if none answers. ``on_lost`` is called (in a thread) when it goes away."""
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with unix_address(path) as address:
                connection.connect(address)
        except OSError:
            connection.close()
            return False
        self._connection = connection
        threading.Thread(target=self._receive, args=(connection, on_lost), name="socket-keeper", daemon=True).start()
        return True

    def _receive(self, connection: socket.socket, on_lost: Callable[[], None]) -> None:
        while True:
            try:
                message, descriptors, _, _ = socket.recv_fds(connection, 4096, 1)
            except OSError:
                break
            if not message:
                break
            verb, name = _decode(message)
            if verb == "hold" and descriptors:
                self._replace(name, descriptors[0])
            elif verb == "drop":
                self._replace(name, None)
        connection.close()
        on_lost()

    def _replace(self, name: str, descriptor: int | None) -> None:
        with self._lock:
            old = self._descriptors.pop(name, None)
            if old is not None:
                os.close(old)
            if descriptor is not None:
                self._descriptors[name] = descriptor

    def drop(self, name: str) -> None:
        """Close the duplicate of a socket that is not wanted any more."""
        self._replace(name, None)

    def address(self, name: str) -> tuple[str, int] | None:
        """Where a held socket is bound, None if there is no such socket."""
        with self._lock:
            if name not in self._descriptors:
                return None
            with socket.socket(fileno=os.dup(self._descriptors[name])) as held:
                host, port = held.getsockname()[:2]
        return str(host), int(port)

    def names(self) -> list[str]:
        with self._lock:
            return list(self._descriptors)

    def inheritance(self) -> tuple[dict[str, str], list[int]]:
        """Environment entry and descriptors to pass to a new ingest process."""
        with self._lock:
            return {ENVIRONMENT: msgspec.json.encode(self._descriptors).decode()}, list(self._descriptors.values())
