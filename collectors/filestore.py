"""Files that Suricata carried off the wire (file-store version 2): ``filestore/ab/abcdef….`` plus one JSON note per sighting.

Layout after the Suricata user guide, "File-store (version 2)": the name is the SHA-256 of the content, the first two digits
are the folder, ``<sha256>.<seconds>.<n>.json`` beside it is the ``fileinfo`` event. Files still being written lie under ``tmp/``.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from kernel.record import RawRecord, Sink

_NAME = re.compile(r"^[0-9a-f]{64}$")
_NOTE = re.compile(r"^([0-9a-f]{64})\.\d+\.\d+\.json$")
_MAX_NOTE = 1 << 20


class StoredFile(msgspec.Struct, frozen=True):
    """One file in the store.

    modified  nanoseconds since the epoch (UTC)
    fileinfo  Suricata's event of its first sighting ({} when the note is missing)
    """

    path: str
    sha256: str
    size: int
    modified: int
    fileinfo: dict[str, Any] = {}


def stored_files(root: Path) -> Iterator[StoredFile]:
    """Every finished file below ``root``, in name order; nothing when the folder does not exist."""
    for folder in sorted(root.glob("[0-9a-f][0-9a-f]")):
        names = sorted(entry.name for entry in folder.iterdir())
        notes = {match.group(1): name for name in reversed(names) if (match := _NOTE.match(name))}
        for name in names:
            if not _NAME.match(name):
                continue
            path = folder / name
            if path.is_symlink() or not path.is_file():
                continue
            note, status = notes.get(name), path.stat()
            yield StoredFile(str(path), name, status.st_size, status.st_mtime_ns, _read_note(folder / note) if note else {})


def _read_note(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            note = msgspec.json.decode(file.read(_MAX_NOTE))
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return {}  # the note only describes; the file itself is still scanned
    return note if isinstance(note, dict) else {}


def stored_record(stored: StoredFile, source: str, received: int, origin: str, stream: str = "", offset: int = -1) -> RawRecord:
    """The ``file-stored`` record of a stored file; ``collectors.parsers.suricata_eve.parse_stored`` reads it."""
    return RawRecord(source, "file-stored", received, origin, msgspec.json.encode(stored), stream, offset)


class FileStoreWatch:
    """Hands each new file of a live file-store to a sink, once.

    A file counts as handed over when ``sink.put`` has returned; that is marked by an empty ``<sha256>.seen`` beside it, so a
    restart goes on where it stopped (a file put just before a kill is put again, with the same stream and offset, and dropped
    there). :meth:`prune` deletes the oldest seen files above ``capacity`` bytes; an unseen file is never deleted.
    """

    def __init__(self, root: Path, sink: Sink, source: str = "suricata-files", capacity: int = 4 << 30) -> None:
        self.root = root
        self.capacity = capacity
        self.counters = {"files": 0, "bytes": 0, "pruned": 0}
        self._sink = sink
        self._source = source

    def poll(self) -> int:
        """Put what is new; returns how many files."""
        new = [stored for stored in stored_files(self.root) if not self._mark(stored.path).exists()]
        for start in range(0, len(new), 1000):
            batch = new[start : start + 1000]
            received = time.time_ns() // 1000
            # each sighting is a stream of one record, named by content and time
            streams = [f"filestore:{stored.sha256}:{stored.modified}" for stored in batch]
            self._sink.put(
                [
                    stored_record(s, self._source, received, str(self.root), stream, 0)
                    for s, stream in zip(batch, streams, strict=True)
                ]
            )
            for stored in batch:
                _touch(self._mark(stored.path))
                self.counters["files"] += 1
                self.counters["bytes"] += stored.size
        self.prune()
        return len(new)

    def prune(self) -> None:
        """Keep the store under its capacity: oldest files first, with notes and mark, so that a later sighting is put again."""
        seen = [stored for stored in stored_files(self.root) if self._mark(stored.path).exists()]
        excess = sum(stored.size for stored in seen) - self.capacity
        for stored in sorted(seen, key=lambda s: s.modified):
            if excess <= 0:
                return
            path = Path(stored.path)
            for note in path.parent.glob(f"{stored.sha256}.*.json"):
                note.unlink(missing_ok=True)
            path.unlink(missing_ok=True)
            self._mark(stored.path).unlink(missing_ok=True)
            excess -= stored.size
            self.counters["pruned"] += 1

    @staticmethod
    def _mark(path: str) -> Path:
        return Path(path + ".seen")


def _touch(path: Path) -> None:
    """Make an empty file; never follow a link (the folder belongs to Suricata's account)."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
