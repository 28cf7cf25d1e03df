"""A folder whose new capture files are read through Suricata, each once.

A file is taken when its size has not changed between two looks. What was taken is remembered by device, inode, size and
modification time in a checkpoint file that is written after the sink has everything; a capture that is read twice because of a
kill in between gets the same stream and offsets, and the pipeline drops the second reading.
"""

from __future__ import annotations

import logging
import os
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from collectors.suricata import pcap_records
from collectors.suricata.log import is_refusal
from collectors.suricata.networks import Networks
from kernel.errors import ParseError
from kernel.record import Counters, RawRecord, Sink

log = logging.getLogger("liandun.packet_folder")

BATCH = 1000
LOOK_SECONDS = 1.0
KEPT_BYTES = 4 << 30
KEEP_SECONDS = 7 * 86_400.0
_SUFFIXES = (".pcap", ".pcapng", ".pcap.gz", ".pcapng.gz", ".cap")


class PacketFolder:
    """Watch ``folder``; ``work`` is where Suricata leaves the files it carried out of the packets (pruned above KEPT_BYTES).

    error     what was wrong with the last capture, "" when nothing was
    problems  rules that Suricata refused at the last capture, ``FILE:LINE: sid N: REASON``
    """

    def __init__(
        self,
        folder: Path,
        sink: Sink,
        checkpoint: Path,
        work: Path,
        *,
        source: str,
        rules: Callable[[], Sequence[Path]] = tuple,
        networks: Callable[[], Networks] = Networks,
    ) -> None:
        self.counters: Counters = {"received": 0, "bytes": 0, "dropped": 0, "captures": 0, "broken": 0, "last_received": 0}
        self.counters |= {"files": 0, "file_store_bytes": 0, "folders_pruned": 0}
        self.error = ""
        self.problems: list[str] = []
        self._refused: list[str] = []
        self._folder = folder
        self._sink = sink
        self._checkpoint = checkpoint
        self._work = work
        self._source = source
        self._rules = rules
        self._networks = networks
        self._stopping = threading.Event()
        self._done: dict[str, str] = _read_checkpoint(checkpoint)
        self._sizes: dict[Path, int] = {}

    def run(self) -> None:
        """Look until :meth:`stop`. Raises SuricataMissing when there is a capture and no Suricata."""
        while not self._stopping.is_set():
            for path in self._settled():
                self._read(path)
            self._stopping.wait(LOOK_SECONDS)

    def stop(self) -> None:
        self._stopping.set()

    def _settled(self) -> list[Path]:
        """New captures whose size stayed the same since the last look, oldest first."""
        found: list[tuple[float, Path]] = []
        sizes: dict[Path, int] = {}
        for path in self._folder.glob("*"):
            if not path.name.endswith(_SUFFIXES) or not path.is_file():
                continue
            try:
                state = path.stat()
            except FileNotFoundError:
                continue  # taken away meanwhile
            if self._done.get(path.name) == _identity(state):
                continue
            sizes[path] = state.st_size
            if self._sizes.get(path) == state.st_size:
                found.append((state.st_mtime, path))
        self._sizes = sizes
        return [path for _, path in sorted(found)]

    def _read(self, path: Path) -> None:
        try:
            state = path.stat()
        except FileNotFoundError:
            return
        self._refused, self.error = [], ""
        work = self._work / f"{time.time_ns():020d}"
        work.mkdir(parents=True)
        self._work.chmod(0o711)  # Suricata runs as nobody and must be able to enter its own folder
        batch: list[RawRecord] = []
        try:
            records = pcap_records(path, self._report, rules=self._rules(), networks=self._networks(), workdir=work)
            for record in records:
                self.counters["files"] += record.format == "file-stored"
                batch.append(msgspec.structs.replace(record, source=self._source))
                if len(batch) >= BATCH:
                    self._put(batch)
            self._put(batch)
            self.counters["captures"] += 1
            self.counters["bytes"] += state.st_size
        except ParseError as error:
            self.counters["broken"] += 1
            self._report(str(error))
        self.problems = self._refused
        self._done[path.name] = _identity(state)
        _write_checkpoint(self._checkpoint, self._done)
        self._prune()

    def _put(self, batch: list[RawRecord]) -> None:
        if not batch:
            return
        self._sink.put(batch)
        self.counters["received"] += len(batch)
        self.counters["last_received"] = batch[-1].received
        batch.clear()

    def _report(self, line: str) -> None:
        log.warning("%s", line)
        if is_refusal(line):
            self._refused.append(line)
        else:
            self.error = line

    def _prune(self) -> None:
        """Remove the oldest work folders above KEPT_BYTES and those older than KEEP_SECONDS; the newest always stays (its files may
        still wait for YARA).
        """
        folders = sorted(path for path in self._work.iterdir() if path.is_dir())
        sizes = {folder: sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) for folder in folders}
        total, horizon = sum(sizes.values()), time.time() - KEEP_SECONDS
        for folder in folders[:-1]:
            if total <= KEPT_BYTES and folder.stat().st_mtime > horizon:
                break
            shutil.rmtree(folder, ignore_errors=True)
            total -= sizes[folder]
            self.counters["folders_pruned"] += 1
        self.counters["file_store_bytes"] = total


def _identity(state: os.stat_result) -> str:
    return f"{state.st_dev}:{state.st_ino}:{state.st_size}:{state.st_mtime_ns}"


def _read_checkpoint(path: Path) -> dict[str, str]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, str])
    except (OSError, msgspec.DecodeError):
        return {}  # read everything again: the pipeline drops what it knows


def _write_checkpoint(path: Path, done: dict[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_bytes(msgspec.json.encode(done))
    temporary.replace(path)
