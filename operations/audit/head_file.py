"""The heads outside of the database: one JSON line for every public key and signed head, appended and fsynced, never rewritten.

Whoever rolls back or cuts the database has this file against him; on ext4, xfs and btrfs ``chattr +a`` makes it append-only for the
root user, too. A line goes to the file before it goes to the database, so after a kill the file can be ahead, never behind. A last
line without its end (killed while writing) counts as not written.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from crypto.private_file import give_to_folder, open_lock, sync_folder
from operations.audit.schema import PublicKeyRecord, SignedHead

Line = PublicKeyRecord | SignedHead
_decoder = msgspec.json.Decoder(PublicKeyRecord | SignedHead)


class Lines(msgspec.Struct):
    """What a file of heads holds. ``unreadable`` are the numbers (from 1) of lines that are neither a key nor a head."""

    keys: list[PublicKeyRecord] = []
    heads: list[SignedHead] = []
    unreadable: list[int] = []
    found: bool = True


class HeadFile:
    """The file at ``path``; its folder must be there."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Only one process at a time signs and appends."""
        handle = open_lock(self.path.with_suffix(".lock"))
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)

    def read(self) -> Lines:
        """All keys and heads; ``found`` is False where there is no file. Raises OSError."""
        try:
            return parse_lines(self.path.read_bytes())
        except FileNotFoundError:
            return Lines(found=False)

    def append(self, records: Iterable[Line]) -> None:
        """Add lines; they are on disk when this returns. Call it under :meth:`locked`. Raises OSError."""
        new = not self.path.exists()
        text = b"".join(msgspec.json.encode(record) + b"\n" for record in records)
        handle = os.open(self.path, os.O_CREAT | os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            if new:
                give_to_folder(handle, self.path)
            self._drop_torn_line(handle)
            while text:
                text = text[os.write(handle, text) :]
            os.fsync(handle)
        finally:
            os.close(handle)
        if new:
            sync_folder(self.path.parent)

    @staticmethod
    def _drop_torn_line(handle: int) -> None:
        size = os.fstat(handle).st_size
        if size and os.pread(handle, 1, size - 1) != b"\n":
            content = os.pread(handle, size, 0)
            os.ftruncate(handle, content.rfind(b"\n") + 1)


def parse_lines(content: bytes) -> Lines:
    """Keys and heads in ``content``. A line may have something before its JSON, as a receiver of syslog keeps it."""
    lines = Lines()
    *whole, _torn = content.split(b"\n")
    for number, line in enumerate(whole, 1):
        start = line.find(b'{"type":')
        try:
            found = _decoder.decode(line[start:] if start > 0 else line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            lines.unreadable.append(number)
            continue
        if isinstance(found, PublicKeyRecord):
            lines.keys.append(found)
        else:
            lines.heads.append(found)
    return lines
