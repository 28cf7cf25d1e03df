"""Files that Suricata carried off the wire (file-store version 2): ``filestore/ab/abcdef….`` plus one JSON note per sighting.

Layout after the Suricata user guide, "File-store (version 2)": the name is the SHA-256 of the content, the first two digits
are the folder, ``<sha256>.<seconds>.<n>.json`` beside it is the ``fileinfo`` event. Files still being written lie under ``tmp/``.
The content is kept once however often it passes; every sighting is a record of its own, since the second host that fetched the same
malware matters as much as the first.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import threading
import time
from collections.abc import Container, Iterator
from pathlib import Path
from typing import Any

import msgspec

from kernel.record import RawRecord, Sink

_NAME = re.compile(r"^[0-9a-f]{64}$")
_NOTE = re.compile(r"^([0-9a-f]{64})\.\d+\.\d+\.json$")
_MAX_NOTE = 1 << 20
_FOLDERS = "[0-9a-f][0-9a-f]"

BATCH = 1000
UNNOTED_SECONDS = 10.0
"""A file without a note after so long is handed over without one (the disk was full, or a kill came between)."""

KEEP_SECONDS = 7 * 86_400.0
CAPACITY = 4 << 30


class StoredFile(msgspec.Struct, frozen=True):
    """One sighting of a file in the store.

    modified  nanoseconds since the epoch (UTC)
    fileinfo  Suricata's event of the sighting ({} when the note is missing)
    """

    path: str
    sha256: str
    size: int
    modified: int
    fileinfo: dict[str, Any] = {}


def stored_files(root: Path) -> Iterator[StoredFile]:
    """Every sighting of every finished file below ``root``, in an order that depends on their contents only.

    Nothing when the folder does not exist.
    """
    for folder in sorted(root.glob(_FOLDERS)):
        names = sorted(entry.name for entry in folder.iterdir())
        notes: dict[str, list[dict[str, Any]]] = {}
        for name in names:
            if match := _NOTE.match(name):
                notes.setdefault(match.group(1), []).append(_read_note(folder / name) or {})
        for name in names:
            stored = _stored(folder / name) if _NAME.match(name) else None
            if stored is not None:
                for note in sorted(notes.get(name, [{}]), key=_sighting):
                    yield msgspec.structs.replace(stored, fileinfo=note)


def _stored(path: Path) -> StoredFile | None:
    """The file itself; None for a link, a folder or nothing."""
    if path.is_symlink() or not path.is_file():
        return None
    status = path.stat()
    return StoredFile(str(path), path.name, status.st_size, status.st_mtime_ns)


def _sighting(note: dict[str, Any]) -> list[str]:
    """Sort key: when, between whom, under which name; flow ids and file numbers differ from run to run."""
    inner = note.get("fileinfo")
    keys = ("timestamp", "src_ip", "src_port", "dest_ip", "dest_port")
    about = inner if isinstance(inner, dict) else {}
    return [*(str(note.get(key, "")) for key in keys), str(about.get("tx_id", "")), str(about.get("filename", ""))]


def _read_note(path: Path) -> dict[str, Any] | None:
    """The note; None when it cannot be read, or not yet. It only describes; the file itself is scanned in any case."""
    try:
        with path.open("rb") as file:
            note = msgspec.json.decode(file.read(_MAX_NOTE))
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return note if isinstance(note, dict) else None


def stored_record(stored: StoredFile, source: str, received: int, origin: str, stream: str = "", offset: int = -1) -> RawRecord:
    """The ``file-stored`` record of a sighting; ``collectors.parsers.suricata_eve.parse_stored`` reads it."""
    return RawRecord(source, "file-stored", received, origin, msgspec.json.encode(stored), stream, offset)


class _Progress(msgspec.Struct):
    """What the checkpoint holds: the stream, the offset of the first of ``batch``, and the sightings being handed over (names of
    notes, or of files without one).
    """

    stream: str
    offset: int = 0
    batch: list[str] = []


class FileStoreWatch:
    """Hands each sighting of a live file-store to a sink, once, and bounds what the store takes of the disk.

    A sighting is handed over when ``sink.put`` has returned; its note is removed then, and the file marked by an empty
    ``<sha256>.seen``. What is being handed over is written down before, so that after a kill it is put again under the same stream
    and offset, and dropped by the pipeline.

    capacity  bytes of files kept; above it the oldest handed-over ones go, and any older than ``keep_seconds``. Files that wait for
              the sink may take as much again; beyond that the oldest of them go too, counted as ``lost``
    error     that files were lost since the last look, or ""
    """

    def __init__(
        self,
        root: Path,
        sink: Sink,
        checkpoint: Path,
        source: str = "suricata-files",
        *,
        capacity: int = CAPACITY,
        keep_seconds: float = KEEP_SECONDS,
    ) -> None:
        self.root = root
        self.counters = {"files": 0, "file_bytes": 0, "files_pruned": 0, "files_lost": 0, "file_store_bytes": 0}
        self.error = ""
        self._sink = sink
        self._checkpoint = checkpoint
        self._source = source
        self._capacity = capacity
        self._keep_seconds = keep_seconds
        self._progress = _read_progress(checkpoint)
        self._looked: dict[str, float] = {}  # folder → when its content was read whole
        self._pruning = threading.Lock()

    def poll(self) -> int:
        """Put what is new; returns how many sightings. Only folders that have changed are read."""
        self._finish_batch()
        new = self._new()
        for start in range(0, len(new), BATCH):
            self._begin_batch(new[start : start + BATCH])
            self._finish_batch()
        return len(new)

    def _new(self) -> list[str]:
        """Names of sightings that wait, relative to the root."""
        found: list[str] = []
        for folder in sorted(self.root.glob(_FOLDERS)):
            now = time.time()
            changed = folder.stat().st_mtime
            if changed + 1.0 < self._looked.get(folder.name, 0.0):  # a second for the clock of the file system
                continue
            names = {entry.name: entry for entry in os.scandir(folder)}
            noted = {match.group(1) for name in names if (match := _NOTE.match(name))}
            new = [name for name in names if _is_new(name, names, noted)]
            ready = [name for name in new if _is_written(names[name])]
            found += [f"{folder.name}/{name}" for name in ready]
            waits = len(ready) < len(new)
            self._looked[folder.name] = 0.0 if waits else now
        return found

    def _begin_batch(self, names: list[str]) -> None:
        self._progress.batch = names
        _write_progress(self._checkpoint, self._progress)

    def _finish_batch(self) -> None:
        """Put the batch that is written down, tidy up, and move the offset behind it."""
        progress = self._progress
        if not progress.batch:
            return
        received = time.time_ns() // 1000
        records: list[RawRecord] = []
        for number, name in enumerate(progress.batch):
            stored = self._sighting(name)
            if stored is not None:
                origin = str(self.root)
                records.append(stored_record(stored, self._source, received, origin, progress.stream, progress.offset + number))
                self.counters["file_bytes"] += stored.size
        if records:
            self._sink.put(records)
        for name in progress.batch:
            _touch(self._mark(name))
            if name.endswith(".json"):
                (self.root / name).unlink(missing_ok=True)
        self.counters["files"] += len(records)
        self._progress = _Progress(progress.stream, progress.offset + len(progress.batch))
        _write_progress(self._checkpoint, self._progress)

    def _sighting(self, name: str) -> StoredFile | None:
        """The sighting of that name; None when its file is gone (pruned meanwhile)."""
        path = self.root / name
        stored = _stored(path.parent / path.name[:64])
        if stored is None or not name.endswith(".json"):
            return stored
        return msgspec.structs.replace(stored, fileinfo=_read_note(path) or {})

    def _mark(self, name: str) -> Path:
        path = self.root / name
        return path.parent / f"{path.name[:64]}.seen"

    def forget_unfinished(self) -> None:
        """Remove what a Suricata that was killed left half written; call it while none runs."""
        for path in self.root.glob("tmp/*"):
            path.unlink(missing_ok=True)

    def prune(self) -> None:
        """Keep the store within its bounds; from any thread, also while :meth:`poll` is held back by the sink."""
        with self._pruning:
            self._prune()

    def _prune(self) -> None:
        seen, waiting = self._by_age()
        total, unseen = (sum(size for _, size, _ in files) for files in (seen, waiting))
        limit, horizon = self._capacity, time.time() - self._keep_seconds
        for changed, size, path in seen:
            if total <= limit and changed > horizon:
                break
            _remove(path)
            total -= size
            self.counters["files_pruned"] += 1
        lost = 0
        for _, size, path in waiting:
            if unseen <= limit:
                break
            _remove(path)
            unseen -= size
            lost += 1
        self.counters["files_lost"] += lost
        self.counters["file_store_bytes"] = total + unseen
        self.error = f"{lost} carried files were removed before they could be scanned: the store is full" if lost else ""

    def _by_age(self) -> tuple[list[tuple[float, int, str]], list[tuple[float, int, str]]]:
        """Files handed over and files that wait, oldest first: time of change, bytes, path."""
        seen: list[tuple[float, int, str]] = []
        waiting: list[tuple[float, int, str]] = []
        for folder in self.root.glob(_FOLDERS):
            entries = {entry.name: entry for entry in os.scandir(folder)}
            for name, entry in entries.items():
                if not _NAME.match(name):
                    continue
                with contextlib.suppress(FileNotFoundError):
                    status = entry.stat(follow_symlinks=False)
                    (seen if f"{name}.seen" in entries else waiting).append((status.st_mtime, status.st_size, entry.path))
        return sorted(seen), sorted(waiting)


def _remove(path: str) -> None:
    """A file with its mark and notes, so that a later sighting of the same content is new again."""
    file = Path(path)
    for beside in file.parent.glob(f"{file.name}.*"):
        beside.unlink(missing_ok=True)
    file.unlink(missing_ok=True)


def prune_store(root: Path, capacity: int) -> int:
    """Remove the oldest finished files above ``capacity`` bytes, whoever waits for them; returns how many."""
    files = [(path.lstat().st_mtime, path.lstat().st_size, path) for path in root.glob(f"{_FOLDERS}/*") if _NAME.match(path.name)]
    excess, removed = sum(size for _, size, _ in files) - capacity, 0
    for _, size, path in sorted(files):
        if excess <= 0:
            break
        _remove(str(path))
        excess -= size
        removed += 1
    return removed


def _touch(path: Path) -> None:
    """Make an empty file; never follow a link (the folder belongs to Suricata's account)."""
    with contextlib.suppress(FileExistsError, FileNotFoundError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))


def _is_written(entry: os.DirEntry[str]) -> bool:
    """A note that can be read whole; what is no such note must be of some age."""
    if _NOTE.match(entry.name) and _read_note(Path(entry.path)) is not None:
        return True
    return time.time() - entry.stat(follow_symlinks=False).st_mtime > UNNOTED_SECONDS


def _is_new(name: str, names: Container[str], noted: Container[str]) -> bool:
    """A note, or a file that has neither a mark nor a note."""
    return bool(_NOTE.match(name) or (_NAME.match(name) and f"{name}.seen" not in names and name not in noted))


def _read_progress(path: Path) -> _Progress:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Progress)
    except (OSError, msgspec.DecodeError):
        return _Progress(f"filestore:{secrets.token_hex(8)}")


def _write_progress(path: Path, progress: _Progress) -> None:
    """Durable before it counts. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        file.write(msgspec.json.encode(progress))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
