"""Where the spool's further readers stand (forwarders), so that what they still need is not removed.

The pipeline's own position lives in the event store, in the same commit as the events; each further reader keeps a small file
``reader-<name>.json`` beside the segments, replaced durably after its other side has acknowledged.
"""

from __future__ import annotations

import os
import uuid
from pathlib import Path

import msgspec


class Entry(msgspec.Struct):
    """position: all before it is done; spool: names this spool for ever, so that positions of another one are never mixed in."""

    position: int = 0
    spool: str = ""


class LedgerEntry:
    """One reader's file."""

    def __init__(self, folder: Path, name: str) -> None:
        self.path = folder / f"reader-{name}.json"

    def read(self) -> Entry:
        """The last entry; a new one where there is none. A damaged one means: from the oldest record on (harmless)."""
        try:
            entry = msgspec.json.decode(self.path.read_bytes(), type=Entry)
        except (FileNotFoundError, msgspec.DecodeError):
            entry = Entry(0, spool_name(self.path.parent))
            self.write(entry)
        return entry

    def write(self, entry: Entry) -> None:
        """Replace the file durably. Raises OSError."""
        replace_durably(self.path, msgspec.json.encode(entry))

    def remove(self) -> None:
        """The reader is gone for good: nothing is kept for it any more."""
        self.path.unlink(missing_ok=True)


def spool_name(folder: Path) -> str:
    """Name of a spool, made once and kept in it: a folder that was wiped is another spool."""
    path = folder / "name"
    try:
        return path.read_text("ascii")
    except FileNotFoundError:
        name = uuid.uuid4().hex
        replace_durably(path, name.encode())
        return name


def replace_durably(path: Path, data: bytes) -> None:
    """Replace a file so that after a power cut the old or the new one is there, whole."""
    temporary = path.with_name(path.name + ".new")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def kept_from(folder: Path) -> int | None:
    """Lowest position that a further reader still needs; None without such readers."""
    positions = []
    for path in folder.glob("reader-*.json"):
        try:
            positions.append(msgspec.json.decode(path.read_bytes(), type=Entry).position)
        except FileNotFoundError:
            continue
        except msgspec.DecodeError:
            positions.append(0)
    return min(positions, default=None)
