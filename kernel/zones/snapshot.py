"""The plan in force as a file: written by whoever owns the tables, read by workers, swapped atomically.

So a worker never waits for the state database, and a plan that cannot be read leaves the one in force as it is.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from kernel.replaced_file import ReplacedFile
from kernel.zones.plan import Asset, Conduit, Zone, ZonePlan
from kernel.zones.table import ZoneTable


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
    """Calling it gives the table in force, an empty one while there is none."""

    def __init__(self, path: Path) -> None:
        self._file = ReplacedFile(path, _read, (ZoneTable(ZonePlan()), ""), "the zone plan")

    def __call__(self) -> ZoneTable:
        """The table of the newest readable snapshot."""
        return self._file()[0]

    @property
    def revision(self) -> str:
        """Of the table in force, "" = there is none."""
        return self._file.present[1]


def _read(path: Path) -> tuple[ZoneTable, str]:
    snapshot = msgspec.msgpack.decode(path.read_bytes(), type=Snapshot)
    return snapshot.table(), snapshot.revision
