"""Following text files line by line, through rotation and restarts, without loss and without reading twice.

What happens to a log file and what we do:

* it grows: complete lines are put; an unfinished last line waits for its LF;
* it is renamed (logrotate's default): our open descriptor goes on with it to its end; after a restart it is found by its inode;
* it is copied and truncated (``copytruncate``): the copy is found by the first bytes and read from where we stood, the original
  begins again as a new stream. Lines written between the last look and the truncation are in the copy or nowhere;
* it is compressed: the descriptor still works; after a restart the ``.gz`` is found by the first bytes of its content;
* it is rewritten in place: the first bytes differ, so it is a new stream.

The checkpoint is written after ``sink.put`` has returned. What was put but not yet written down is put again after a kill, with
the same stream and offsets, and the pipeline drops it.
"""

from __future__ import annotations

import copy
import glob
import gzip
import logging
import os
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, cast

from collectors.checkpoint import FINGERPRINT, Position, new_position, read_checkpoint, write_checkpoint
from kernel.record import Counters, RawRecord, Sink

log = logging.getLogger("liandun.tail")

BATCH = 1000
CHUNK = 1 << 20
MAX_LINE = 1 << 20
ROTATED_SECONDS = 5.0
"""How long a renamed file is still watched: its writer may not have reopened the new one yet."""

_PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip")
_SURE = 64  # bytes of fingerprint that make two files with equal beginnings the same one


class _Open:
    """A file being followed: its position and its descriptor."""

    def __init__(self, position: Position, descriptor: int) -> None:
        self.position = position
        self.descriptor = descriptor
        self.gone_since: float | None = None

    @property
    def key(self) -> tuple[int, int]:
        return self.position.device, self.position.inode


class FileTail:
    """Follows every file that matches ``patterns`` (shell patterns, ``**`` for folders below).

    checkpoint   file that keeps the positions
    format       parser of the lines, a key of ``collectors.parsers.PARSERS``
    from_start   read files from their start when first seen; False = only what is written from now on
    max_line     bytes; a longer line is cut there, put with format ``text`` and counted as ``oversized``
    """

    def __init__(
        self,
        patterns: Sequence[str],
        sink: Sink,
        checkpoint: Path,
        *,
        source: str = "file",
        format: str = "syslog",
        from_start: bool = True,
        poll_seconds: float = 0.5,
        max_line: int = MAX_LINE,
    ) -> None:
        self.counters: Counters = {"received": 0, "bytes": 0, "dropped": 0, "files": 0, "oversized": 0, "truncations": 0}
        self.counters |= {"rotations": 0, "last_received": 0}
        self.error = ""
        self._patterns = list(patterns)
        self._sink = sink
        self._checkpoint = checkpoint
        self._source = source
        self._format = format
        self._from_start = from_start
        self._poll_seconds = poll_seconds
        self._max_line = max_line
        self._files: dict[tuple[int, int], _Open] = {}
        self._stopping = threading.Event()
        self._saved: list[Position] = []
        self._orphans = read_checkpoint(checkpoint)

    def run(self) -> None:
        """Follow until :meth:`stop`; call it in a thread of its own."""
        try:
            while not self._stopping.is_set():
                self.poll()
                self._stopping.wait(self._poll_seconds)
        finally:
            self._save()
            for file in self._files.values():
                os.close(file.descriptor)
            self._files.clear()

    def stop(self) -> None:
        """Make :meth:`run` return after the batch in hand."""
        self._stopping.set()

    def holds(self, path: Path) -> bool:
        """True while something of this file may still be read, under whatever name: whoever rotates it must not remove it yet."""
        try:
            status = path.stat()
        except OSError:
            return False
        key = (status.st_dev, status.st_ino)
        return key in self._files or any((orphan.device, orphan.inode) == key for orphan in tuple(self._orphans))

    def poll(self) -> int:
        """One look at everything; returns the number of records put."""
        before = self.counters["received"]
        paths = self._paths()
        for file in list(self._files.values()):
            self._check_truncated(file)
        for path in paths:
            self._discover(path)
        self._resume_orphans()
        for file in list(self._files.values()):
            if self._stopping.is_set():
                break
            self._read(file)
            self._check_gone(file)
        self._save()
        self.counters["files"] = len(self._files)
        return int(self.counters["received"]) - int(before)

    def _paths(self) -> list[str]:
        found = {path for pattern in self._patterns for path in glob.glob(pattern, recursive=True)}
        return sorted(path for path in found if not path.endswith(_PACKED) and os.path.isfile(path))

    def _discover(self, path: str) -> None:
        """Open a file that is not followed yet, at the position we may have of it."""
        try:
            status = os.stat(path)
            known = self._files.get((status.st_dev, status.st_ino))
            if known is not None:
                if known.position.path != path and not _same_file(known.position.path, known.key):
                    known.position.path = path
                return
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            self._complain(path, error)
            return
        status = os.fstat(descriptor)  # the path may name another file by now
        head = os.pread(descriptor, FINGERPRINT, 0)
        position = self._recall(path, status, head)
        if position is None and self._is_copy(path, head):
            os.close(descriptor)
            return
        if position is None:
            position = new_position(path, status, head)
            if not self._from_start:
                position.offset = _last_line_end(descriptor, status.st_size)
        position.path, position.device, position.inode = path, status.st_dev, status.st_ino
        self._files[status.st_dev, status.st_ino] = _Open(position, descriptor)

    def _recall(self, path: str, status: os.stat_result, head: bytes) -> Position | None:
        """The position of a file that an earlier life, or another name, has read."""
        for orphan in self._orphans:
            same_inode = (orphan.device, orphan.inode) == (status.st_dev, status.st_ino)
            same_content = orphan.length >= _SURE and os.path.dirname(orphan.path) == os.path.dirname(path)
            if (same_inode or same_content) and status.st_size >= orphan.offset and orphan.matches(head):
                self._orphans.remove(orphan)
                return orphan
        return None

    def _is_copy(self, path: str, head: bytes) -> bool:
        """True while a new file begins as one we follow beside it: ``copytruncate`` has copied and not yet truncated."""
        return any(
            file.position.length >= _SURE
            and os.path.dirname(file.position.path) == os.path.dirname(path)
            and file.position.matches(head)
            for file in self._files.values()
        )

    def _check_truncated(self, file: _Open) -> None:
        """Start a new stream when the file has shrunk or begins differently."""
        position = file.position
        size = os.fstat(file.descriptor).st_size
        head = os.pread(file.descriptor, FINGERPRINT, 0)
        if size >= position.offset and position.matches(head):
            position.learn(head)
            return
        self.counters["truncations"] += 1
        log.info("%s was truncated or rewritten at offset %d", position.path, position.offset)
        self._orphans.append(position)
        status = os.fstat(file.descriptor)
        file.position = new_position(position.path, status, head)

    def _resume_orphans(self) -> None:
        """Finish files that left their place: moved beside it, copied, or compressed. What is nowhere is given up, and said.

        A position stays (in the checkpoint too) until its file is read to the end: a stop, a kill or a full disk may come between.
        """
        for orphan in list(self._orphans):
            if self._finish(orphan):
                self._orphans.remove(orphan)

    def _finish(self, orphan: Position) -> bool:
        """True when nothing is left to read of it."""
        if any(file.position.stream == orphan.stream for file in self._files.values()):
            return True
        found = self._find_moved(orphan)
        if found is not None:
            return self._drain(orphan, found)
        if not os.path.exists(orphan.path) or self._is_followed(orphan.path):  # else: no longer matched by a pattern
            log.warning("%s: the file is gone; what followed offset %d, if anything, was not read", orphan.path, orphan.offset)
        return True

    def _find_moved(self, orphan: Position) -> Path | None:
        """A sibling that is this file (same inode) or holds its content (same first bytes), maybe compressed."""
        folder, name = os.path.split(orphan.path)
        stem = name.split(".")[0]
        try:
            siblings = [entry for entry in os.scandir(folder or ".") if entry.is_file() and entry.name.startswith(stem)]
        except OSError:
            return None
        for entry in sorted(siblings, key=lambda entry: (entry.inode() != orphan.inode, entry.name)):
            same_inode = entry.inode() == orphan.inode
            if not same_inode and (orphan.length < _SURE or entry.path == orphan.path):
                continue
            if self._is_followed(entry.path):
                continue
            try:
                with _open_plain(Path(entry.path)) as content:
                    head = content.read(FINGERPRINT)
            except (OSError, EOFError, zlib.error):
                continue
            if orphan.matches(head):
                return Path(entry.path)
        return None

    def _is_followed(self, path: str) -> bool:
        try:
            status = os.stat(path)
        except OSError:
            return False
        return (status.st_dev, status.st_ino) in self._files

    def _drain(self, position: Position, path: Path) -> bool:
        """Read the rest of a file that nobody writes any more, an unfinished last line included; False when it must go on later."""
        try:
            with _open_plain(path) as content:
                content.seek(position.offset)
                self._put_lines(position, lambda offset, size: content.read(size), ended=True)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            self._complain(str(path), error)  # damaged: the rest cannot be read, ever
        except OSError as error:
            self._complain(str(path), error)
            return False
        if self._stopping.is_set():
            return False
        self.counters["rotations"] += 1
        return True

    def _read(self, file: _Open, *, ended: bool = False) -> bool:
        """Put what is new in it; False when it could not be read to the end."""
        try:
            self._put_lines(file.position, lambda offset, size: os.pread(file.descriptor, size, offset), ended=ended)
        except OSError as error:
            self._complain(file.position.path, error)
            return False
        return not self._stopping.is_set()

    def _check_gone(self, file: _Open) -> None:
        """Let go of a file that has left its path, once nothing has come for a while."""
        if _same_file(file.position.path, file.key):
            file.gone_since = None
            return
        now = time.monotonic()
        if file.gone_since is None:
            file.gone_since = now
            self.counters["rotations"] += 1
        if now - file.gone_since < ROTATED_SECONDS:
            return
        if self._read(file, ended=True):
            os.close(file.descriptor)
            del self._files[file.key]

    def _put_lines(self, position: Position, read: Callable[[int, int], bytes], *, ended: bool) -> None:
        """Put what ``read(offset, size)`` gives from the position on; moves the position."""
        batch: list[RawRecord] = []
        rest, at = b"", position.offset  # rest: bytes read behind ``at`` that hold no whole line
        while not self._stopping.is_set():
            chunk = read(at + len(rest), CHUNK)
            if not chunk:
                break
            buffer = rest + chunk
            used, skipping = 0, position.skipping
            for record, used, skipping in self._lines(position, buffer, at):
                if record is not None:
                    batch.append(record)
                if len(batch) >= BATCH:
                    self._put(position, batch, at + used, skipping)
            self._put(position, batch, at + used, skipping)
            rest, at = buffer[used:], at + used
        if ended and rest and not self._stopping.is_set():
            last = rest.rstrip(b"\r\0")
            if last:
                batch.append(self._record(position, last, at + len(rest), self._format))
            self._put(position, batch, at + len(rest), False)

    def _lines(self, position: Position, buffer: bytes, base: int) -> Iterator[tuple[RawRecord | None, int, bool]]:
        """Whole lines of ``buffer`` (which begins at ``base``): (record or None, bytes used so far, inside a line to skip)."""
        start, skipping = 0, position.skipping
        while start < len(buffer):
            if skipping:
                end = buffer.find(b"\n", start)
                start, skipping = (len(buffer), True) if end < 0 else (end + 1, False)
                yield None, start, skipping
                continue
            end = buffer.find(b"\n", start, start + self._max_line + 1)
            if end >= 0:
                line = buffer[start:end].rstrip(b"\r\0")
                start = end + 1
                yield self._record(position, line, base + start, self._format) if line.strip() else None, start, False
            elif len(buffer) - start > self._max_line:
                cut = start + self._max_line
                self.counters["oversized"] += 1
                log.warning("%s: line at offset %d is longer than %d bytes: cut", position.path, base + start, self._max_line)
                record = self._record(position, buffer[start:cut], base + cut, "text")
                start, skipping = cut, True
                yield record, start, True
            else:
                return

    def _record(self, position: Position, line: bytes, end: int, format: str) -> RawRecord:
        return RawRecord(self._source, format, time.time_ns() // 1000, position.path, line, position.stream, end)

    def _put(self, position: Position, batch: list[RawRecord], offset: int, skipping: bool) -> None:
        """Make the batch durable, then move the position to ``offset``."""
        if batch:
            self._write_down_new()
            self._sink.put(batch)
            self.counters["received"] += len(batch)
            self.counters["last_received"] = batch[-1].received
            batch.clear()
        self.counters["bytes"] += offset - position.offset
        position.offset, position.skipping = offset, skipping

    def _positions(self) -> list[Position]:
        return [*(file.position for file in self._files.values()), *self._orphans]

    def _write_down_new(self) -> None:
        """A stream's name must be on disk before its first record is put. Raises OSError (nothing is put then)."""
        known = {position.stream for position in self._saved}
        if any(position.stream not in known for position in self._positions()):
            self._write_checkpoint()

    def _save(self) -> None:
        try:
            self._write_checkpoint()
        except OSError as error:
            self._complain(str(self._checkpoint), error)

    def _write_checkpoint(self) -> None:
        positions = [copy.copy(position) for position in self._positions()]
        if positions != self._saved:
            write_checkpoint(self._checkpoint, positions)
            self._saved = positions

    def _complain(self, path: str, error: BaseException) -> None:
        text = f"{path}: {getattr(error, 'strerror', None) or error}"
        if text != self.error:
            self.error = text
            log.warning("%s", text)


def _same_file(path: str, key: tuple[int, int]) -> bool:
    try:
        status = os.stat(path)
    except OSError:
        return False
    return (status.st_dev, status.st_ino) == key


def _open_plain(path: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")


def _last_line_end(descriptor: int, size: int) -> int:
    """Offset behind the last LF: where following "from now on" begins."""
    end = size
    while end > 0:
        start = max(0, end - CHUNK)
        found = os.pread(descriptor, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0
