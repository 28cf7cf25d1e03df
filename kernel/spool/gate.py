"""The spool's door for other processes of this host: one process writes the spool, the others hand their records in here.

Unix socket, stream, mode 0600. A request is ``u32 LE length`` and a MessagePack list of encoded records; the answer is one byte,
0x06, after the records' fsync. No answer (end of stream) means: not known to be on disk, send again. A full spool answers late:
back-pressure goes through. Sending again is harmless for records with a stream and an offset (the pipeline knows them).
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import struct
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from kernel.errors import StoreError
from kernel.handover import unix_address
from kernel.record import RawRecord, encode_record
from kernel.spool.format import MAX_FRAME_BYTES
from kernel.spool.writer import SpoolClosedError

log = logging.getLogger("liandun.spool.gate")

_LENGTH = struct.Struct("<I")
_DONE = b"\x06"
_RETRY_SECONDS = 0.2
_records = msgspec.msgpack.Decoder(list[bytes])


class SpoolGate:
    """The writer's side. ``put`` returns when the records are on disk (:meth:`SpoolWriter.put`)."""

    def __init__(self, path: Path, put: Callable[[Sequence[bytes]], int]) -> None:
        self._put = put
        self._path = path
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with unix_address(path) as address:
            self._listener.bind(address)
        os.chmod(path, 0o600)
        self._listener.listen(128)
        threading.Thread(target=self._accept, name="spool-gate", daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connected, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connected,), name="spool-gate-client", daemon=True).start()

    def _serve(self, connected: socket.socket) -> None:
        with connected, contextlib.suppress(OSError):
            while head := _exactly(connected, _LENGTH.size):
                (length,) = _LENGTH.unpack(head)
                if length > 2 * MAX_FRAME_BYTES:
                    log.error("a request of %d bytes is refused", length)
                    return
                body = _exactly(connected, length)
                if not body:
                    return
                try:
                    self._put(_records.decode(body))
                except (StoreError, ValueError) as error:  # no answer: the sender comes again
                    log.warning("records handed in were not taken: %s", error)
                    return
                connected.sendall(_DONE)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with contextlib.suppress(FileNotFoundError):
            self._path.unlink()


class GateSink:
    """The other processes' side, a :class:`kernel.record.Sink`: one connection per thread, opened anew as often as needed.

    Every record should have a stream and an offset: what was put but not answered (ingest killed) is put again.
    ``blocked`` tells why nothing moves.
    """

    def __init__(self, path: Path) -> None:
        self.blocked = ""
        self._path = path
        self._local = threading.local()
        self._closing = threading.Event()

    def put(self, records: Sequence[RawRecord]) -> None:
        """Returns when all are on disk. Raises SpoolClosedError when closed while waiting."""
        body = msgspec.msgpack.encode([encode_record(record) for record in records])
        while not self._try(body):
            if self._closing.wait(_RETRY_SECONDS):
                raise SpoolClosedError("closed while the spool did not answer")

    def _try(self, body: bytes) -> bool:
        connected: socket.socket | None = getattr(self._local, "connected", None)
        try:
            if connected is None:
                connected = self._local.connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                with unix_address(self._path) as address:
                    connected.connect(address)
            connected.sendall(_LENGTH.pack(len(body)) + body)
            connected.settimeout(1.0)
            while True:
                try:
                    done = connected.recv(1) == _DONE
                    break
                except TimeoutError:
                    self.blocked = "the spool has not answered for a second (full, or the disk is slow)"
                    if self._closing.is_set():
                        raise
            connected.settimeout(None)
        except OSError as error:
            done = False
            self.blocked = f"the ingest role does not answer: {error.strerror or error}"
        if done:
            self.blocked = ""
        else:
            self.release()
        return done

    def release(self) -> None:
        """Close this thread's connection."""
        connected: socket.socket | None = getattr(self._local, "connected", None)
        self._local.connected = None
        if connected is not None:
            connected.close()

    def close(self) -> None:
        self._closing.set()


def _exactly(connected: socket.socket, length: int) -> bytes:
    """That many bytes, b"" where the stream ends before."""
    parts = bytearray()
    while len(parts) < length:
        part = connected.recv(min(1 << 20, length - len(parts)))
        if not part:
            return b""
        parts += part
    return bytes(parts)
