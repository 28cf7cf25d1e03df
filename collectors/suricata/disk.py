"""What a sensor may take of the disk. A packet cannot be asked to wait, so what is over the bounds is not kept, and said.

Three things grow: the file store (carried files), eve.json (events that the spool has not taken yet) and the ring of kept packets.
A thread of its own looks at them, because whoever hands events on may be held back by a full spool for hours:

* the file store is pruned to its capacity (collectors/filestore.py), oldest files first;
* kept packets are held to their capacity, oldest files first; Suricata does that too, but forgets a ring that was made smaller;
* when the disk has less than ``reserve`` bytes free, kept packets go first, all but the file that is written to;
* when waiting events exceed their capacity, or the disk has less than ``reserve`` bytes free, Suricata is paused: the interface is
  not watched, which the error says, until half of it is taken away. That is the one bounded choice left; the spool's own alarm has
  stood for long by then.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from collectors.filestore import FileStoreWatch
from collectors.suricata.config import PACKETS, packet_file_bytes

log = logging.getLogger("liandun.suricata")

LOOK_SECONDS = 5.0
ROTATE_BYTES = 256 << 20
EVENT_BYTES = 4 << 30
RESERVE_BYTES = 1 << 30
_OLD_SECONDS = 120.0


class DiskGuard(threading.Thread):
    """Bounds one sensor's log folder.

    holds     says whether a rotated file is still to be read
    pause     ends Suricata; called from this thread
    paused    why Suricata must not run now, "" when it may
    error     what else people must know, "" when all is well
    counters  paused_seconds, packet_bytes (kept now), packet_files_pruned (given up here, not by Suricata's own ring)
    """

    def __init__(
        self,
        log_dir: Path,
        store: FileStoreWatch,
        holds: Callable[[Path], bool],
        pause: Callable[[], None],
        *,
        events: int = EVENT_BYTES,
        reserve: int = RESERVE_BYTES,
        packets: int = 0,
    ) -> None:
        super().__init__(name="suricata-disk", daemon=True)
        self.paused = ""
        self.error = ""
        self.counters = {"paused_seconds": 0, "packet_bytes": 0, "packet_files_pruned": 0}
        self._log = log_dir
        self._store = store
        self._holds = holds
        self._pause = pause
        self._events = events
        self._reserve = reserve
        self._packets = packets
        self._paused_at = 0.0
        self._stopping = threading.Event()

    def run(self) -> None:
        while not self._stopping.wait(LOOK_SECONDS):
            try:
                self.look()
            except OSError as error:
                self.error = f"{self._log}: {error.strerror}"
                log.warning("%s", self.error)

    def stop(self) -> None:
        self._stopping.set()

    def look(self) -> None:
        """One look: prune, pause or let go."""
        self._store.prune()
        self.error = self._store.error
        self._remove_read()
        self._bound_packets(self._packets + packet_file_bytes(self._packets) if self._packets else 0)
        if _free(self._log) < self._reserve:
            self._bound_packets(0)
        waiting, free = self._waiting(), _free(self._log)
        if self.paused:
            if waiting <= self._events // 2 and free > self._reserve + self._reserve // 4:
                self.counters["paused_seconds"] += round(time.monotonic() - self._paused_at)
                log.warning("%s: room again", self._log)
                self.paused = ""
            return
        if waiting > self._events:
            self._hold(f"{waiting >> 20} MiB of events wait for the spool (limit {self._events >> 20} MiB)")
        elif free < self._reserve:
            self._hold(f"only {free >> 20} MiB of disk are free (reserve {self._reserve >> 20} MiB)")

    def _hold(self, why: str) -> None:
        self.paused = f"the interface is not watched: {why}"
        self._paused_at = time.monotonic()
        log.error("%s: %s", self._log, self.paused)
        self._pause()

    def rotate(self) -> bool:
        """Put a grown eve.json or stats.json aside; True when Suricata must open its logs again."""
        eve, statistics = self._log / "eve.json", self._log / "stats.json"
        with contextlib.suppress(FileNotFoundError):
            if statistics.lstat().st_size > ROTATE_BYTES // 16:
                statistics.unlink()
                return True
            if eve.lstat().st_size > ROTATE_BYTES:
                eve.rename(eve.with_name(f"eve.json.{time.time_ns()}"))
                return True
        return False

    def _remove_read(self) -> None:
        for old in self._log.glob("eve.json.*"):
            with contextlib.suppress(FileNotFoundError):
                if time.time() - old.lstat().st_mtime > _OLD_SECONDS and not self._holds(old):
                    old.unlink()

    def _bound_packets(self, most: int) -> None:
        """Remove the oldest files of kept packets above ``most`` bytes; the newest is written to and stays."""
        files = sorted(self._log.glob(f"{PACKETS}.*"), key=_changed)
        sizes = {path: _size(path) for path in files}
        total = sum(sizes.values())
        for path in files[:-1]:
            if total <= most:
                break
            path.unlink(missing_ok=True)
            total -= sizes[path]
            self.counters["packet_files_pruned"] += 1
        self.counters["packet_bytes"] = total

    def _waiting(self) -> int:
        """Bytes of events on disk. While the sink is held back the loop does not rotate, so eve.json itself may be large."""
        return sum(_size(path) for path in self._log.glob("eve.json*"))


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except FileNotFoundError:
        return 0


def _changed(path: Path) -> int:
    try:
        return path.lstat().st_mtime_ns
    except FileNotFoundError:
        return 0


def _free(folder: Path) -> int:
    state = os.statvfs(folder)
    return state.f_bavail * state.f_frsize
