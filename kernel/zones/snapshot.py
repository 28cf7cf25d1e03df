"""The plan in force as a file: written by whoever owns the tables, read by workers, swapped atomically.

So a worker never waits for the state database, and a plan that cannot be read leaves the one in force as it is.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

import msgspec

from kernel.zones.plan import Asset, Conduit, Zone, ZonePlan
from kernel.zones.table import ZoneTable

log = logging.getLogger("liandun.zones")


class Snapshot(msgspec.Struct):
    """``revision`` grows with every change; ``observed`` maps an address (32 hex digits) to the id of a device that was seen."""

    revision: str
    zones: list[Zone] = []
    conduits: list[Conduit] = []
    assets: list[Asset] = []
    observed: dict[str, str] = {}

    def table(self) -> ZoneTable:
        """Compiled."""
        return ZoneTable(ZonePlan(tuple(self.zones), tuple(self.conduits), tuple(self.assets)), self.observed)


def write_snapshot(snapshot: Snapshot, path: Path) -> None:
    """Replace the file in one step. Raises OSError."""
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    temporary.write_bytes(msgspec.msgpack.encode(snapshot))
    temporary.replace(path)


class ZoneSource:
    """Calling it gives the table in force; the file is looked at anew when it was replaced."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int] | None = None
        self._table = ZoneTable(ZonePlan())
        self.revision = ""

    def __call__(self) -> ZoneTable:
        """The table of the newest readable snapshot; an empty one while there is none."""
        try:
            status = self._path.stat()
        except OSError:
            return self._table
        seen = (status.st_mtime_ns, status.st_ino)
        if seen != self._seen:
            self._seen = seen
            try:
                snapshot = msgspec.msgpack.decode(self._path.read_bytes(), type=Snapshot)
                self._table, self.revision = snapshot.table(), snapshot.revision
            except (OSError, msgspec.DecodeError, ValueError) as error:
                log.error("the zone plan %s cannot be read, the one before stays in force: %s", self._path, error)
        return self._table
