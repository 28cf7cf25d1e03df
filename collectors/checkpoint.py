"""Where a file tail stands, kept on disk.

A file is known by device, inode and a fingerprint of its first bytes: the inode survives renaming, the fingerprint tells a
reused inode or a rewritten file from the one we knew. The stream name is made once, when the file is first seen, and written down
before its first record is put, so that a restart delivers again under the same name.
"""

from __future__ import annotations

import hashlib
import logging
import os
import time
from pathlib import Path

import msgspec

log = logging.getLogger("liandun.tail")

FINGERPRINT = 1024
"""Bytes at the start of a file that tell it from others."""


class Position(msgspec.Struct):
    """One file.

    path         where it was last seen
    length       how many first bytes ``fingerprint`` covers (a young file has fewer than FINGERPRINT)
    offset       everything before has been put
    skipping     ``offset`` lies inside a line that was too long: skip to its end
    """

    path: str
    device: int
    inode: int
    stream: str
    length: int = 0
    fingerprint: str = ""
    offset: int = 0
    skipping: bool = False

    def matches(self, head: bytes) -> bool:
        """True when ``head`` (first bytes of a file) begins as this one did."""
        return len(head) >= self.length and digest(head[: self.length]) == self.fingerprint

    def learn(self, head: bytes) -> bool:
        """Lengthen the fingerprint of a file that has grown; True when that changed something."""
        if self.length >= FINGERPRINT or len(head) <= self.length:
            return False
        self.length = min(len(head), FINGERPRINT)
        self.fingerprint = digest(head[: self.length])
        return True


def new_position(path: str, status: os.stat_result, head: bytes) -> Position:
    """A file seen for the first time."""
    name = hashlib.blake2b(f"{status.st_dev}:{status.st_ino}:{time.time_ns()}".encode(), digest_size=12).hexdigest()
    position = Position(path, status.st_dev, status.st_ino, f"file:{name}", fingerprint=digest(b""))
    position.learn(head)
    return position


def digest(head: bytes) -> str:
    return hashlib.blake2b(head, digest_size=16).hexdigest()


def read_checkpoint(path: Path) -> list[Position]:
    """Positions kept in ``path``; [] when there are none. Damage is logged: files are then read again from their start."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[Position])
    except FileNotFoundError:
        return []
    except (OSError, msgspec.DecodeError) as error:
        log.error("checkpoint %s cannot be used (%s): files are read again from their start", path, error)
        return []


def write_checkpoint(path: Path, positions: list[Position]) -> None:
    """Replace the checkpoint atomically and durably. Raises OSError (disk full)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".new")
    with temporary.open("wb") as file:
        file.write(msgspec.json.encode(positions))
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
