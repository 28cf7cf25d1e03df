"""Durable, append-only side of the spool: many threads put, one fsync serves them all (group commit)."""

from __future__ import annotations

import errno
import fcntl
import logging
import os
import threading
from collections.abc import Sequence
from pathlib import Path

from crypto.private_file import open_lock
from kernel.errors import StoreError
from kernel.spool.format import (
    HEADER,
    MAX_FRAME_BYTES,
    encode_frame,
    position,
    segment_path,
    segments,
    split_position,
    waiting_bytes,
)
from kernel.spool.reader import valid_end

log = logging.getLogger("liandun.spool")

SEGMENT_BYTES = 64 << 20
FULL_RETRY_SECONDS = 0.5


class SpoolClosedError(StoreError):
    """The spool was closed while a record waited; the record was not acknowledged."""


class SpoolWriter:
    """Appends records; :meth:`put` returns when they are on disk.

    One writer per folder (held by ``flock``, released by the kernel when the process dies). A full disk, or more than
    ``max_bytes`` waiting, makes :meth:`put` block and sets ``blocked``: senders are held back, nothing is dropped.

    after  position that a reader has reached. Where the folder ends before it (removed, restored from a backup, its end lost in a
           power cut) writing goes on in a segment behind it: records at positions already read would never be read
    """

    def __init__(self, folder: Path, *, max_bytes: int = 8 << 30, segment_bytes: int = SEGMENT_BYTES, after: int = 0) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.blocked = ""
        self.written_records = 0
        self.written_bytes = 0
        self._max_bytes = max_bytes
        self._segment_bytes = min(segment_bytes, max_bytes // 2)  # the newest segment stays: it alone must not fill the spool
        self._write_lock = threading.Lock()
        self._sync_lock = threading.Lock()
        self._closing = threading.Event()
        self._lock_fd = self._take_lock()
        existing = segments(folder)
        self._open_segment(existing[-1] if existing else 1, cut_torn_tail=bool(existing))
        if self.end < after:
            log.error("%s ends before position %d, which has been read already: some records may be lost", folder, after)
            self._roll(split_position(after)[0] + 1)

    def _take_lock(self) -> int:
        fd = open_lock(self.folder / "writer.lock")
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(fd)
            raise StoreError(
                f"{self.folder}: another process writes to this spool", "stop it first, or use another data directory"
            ) from None
        return fd

    def _open_segment(self, segment: int, *, cut_torn_tail: bool) -> None:
        """Open (or make) a segment and write there from now on; when this raises OSError nothing has changed."""
        path = segment_path(self.folder, segment)
        fd = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            size = os.fstat(fd).st_size
            end = valid_end(path) if cut_torn_tail else size
            if end < size:
                log.warning("%s: %d bytes of a frame that was never finished are cut off", path, size - end)
            os.ftruncate(fd, end)
            os.lseek(fd, end, os.SEEK_SET)
            os.fsync(fd)
            directory = os.open(self.folder, os.O_RDONLY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)
        except OSError:
            os.close(fd)
            raise
        self._fd, self._segment, self._end, self._synced = fd, segment, end, end

    @property
    def end(self) -> int:
        """Position after the last durable record."""
        return position(self._segment, self._synced)

    def put(self, records: Sequence[bytes]) -> int:
        """Append records as one or more frames and wait until they are durable; returns the position after them.

        Raises SpoolClosedError when the spool is closed while waiting for room.
        """
        end = 0
        for chunk in _chunks(records):
            end = self._put_frame(encode_frame(chunk), len(chunk))
        return end

    def _put_frame(self, frame: bytes, count: int) -> int:
        segment, end = self._append(frame, count)
        try:
            self._sync(segment, end)
        except OSError as error:
            raise StoreError(f"{self.folder}: cannot write the spool: {error.strerror}") from error
        return position(segment, end)

    def _append(self, frame: bytes, count: int) -> tuple[int, int]:
        """Write a frame, waiting as long as there is no room for it; (segment, end offset)."""
        while True:
            self._wait_for_room()
            try:
                with self._write_lock:
                    self._roll_if_full()
                    self._write(frame)
                    self.written_records += count
                    self.written_bytes += len(frame)
                    self.blocked = ""
                    return self._segment, self._end
            except OSError as error:
                if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                    raise StoreError(f"{self.folder}: cannot write the spool: {error.strerror}") from error
            self.blocked = "disk full"
            if self._closing.wait(FULL_RETRY_SECONDS):
                raise SpoolClosedError(f"{self.folder}: closed while the disk was full")

    def _wait_for_room(self) -> None:
        while True:
            if self._closing.is_set():
                raise SpoolClosedError(f"{self.folder}: the spool is closed")
            waiting = waiting_bytes(self.folder)
            if waiting < self._max_bytes:
                return
            self.blocked = f"{waiting >> 20} MiB wait for detection, the limit is {self._max_bytes >> 20} MiB"
            self._closing.wait(FULL_RETRY_SECONDS)

    def _roll_if_full(self) -> None:
        if self._end >= self._segment_bytes:
            self._roll(self._segment + 1)

    def _roll(self, segment: int) -> None:
        full = self._fd
        os.fdatasync(full)
        self._open_segment(segment, cut_torn_tail=False)
        os.close(full)

    def _write(self, frame: bytes) -> None:
        """All of the frame or nothing: what a full disk took in part is cut off again."""
        view = memoryview(frame)
        try:
            while view:
                view = view[os.write(self._fd, view) :]
        except OSError:
            os.ftruncate(self._fd, self._end)
            os.lseek(self._fd, self._end, os.SEEK_SET)
            raise
        self._end += len(frame)

    def _sync(self, segment: int, end: int) -> None:
        """Group commit: whoever comes first syncs for all frames written so far; the others find theirs done."""
        with self._sync_lock:
            with self._write_lock:
                if self._segment > segment or self._synced >= end:
                    return
                fd, reached = os.dup(self._fd), self._end
            try:
                os.fdatasync(fd)
            finally:
                os.close(fd)
            with self._write_lock:
                if self._segment == segment:
                    self._synced = max(self._synced, reached)

    def close(self) -> None:
        """Sync and release the folder; blocked callers get SpoolClosedError."""
        self._closing.set()
        with self._sync_lock, self._write_lock:
            if self._fd < 0:
                return
            os.fdatasync(self._fd)
            os.close(self._fd)
            self._fd = -1
            os.close(self._lock_fd)


def _chunks(records: Sequence[bytes]) -> list[Sequence[bytes]]:
    """Split so that each frame stays under MAX_FRAME_BYTES."""
    room = MAX_FRAME_BYTES - HEADER.size
    if sum(map(len, records)) + 4 * len(records) <= room:
        return [records] if records else []
    chunks: list[Sequence[bytes]] = []
    current: list[bytes] = []
    size = 0
    for record in records:
        if current and size + len(record) + 4 > room:
            chunks.append(current)
            current, size = [], 0
        current.append(record)
        size += len(record) + 4
    return [*chunks, current]
