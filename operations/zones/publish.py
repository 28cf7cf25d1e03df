"""The plan in force, published for the workers whenever it has changed."""

from __future__ import annotations

import time
from pathlib import Path

from kernel.db import Database
from kernel.zones.snapshot import write_snapshot
from operations.zones.revision import current
from operations.zones.service import snapshot

INVENTORY_SECONDS = 15.0
"""Newly seen devices alone bring a new snapshot at most so often; a change of the plan brings one at once."""


class PlanPublisher:
    """Call it often: it looks at the revision and writes the snapshot only when that moved."""

    def __init__(self, database: Database, path: Path) -> None:
        self._database = database
        self._path = path
        self._plan = -1
        self._inventory = -1
        self._written = 0.0

    def __call__(self) -> None:
        """Raises OSError where the file cannot be written, and what the database raises."""
        with self._database.read() as session:
            plan, inventory = current(session)
            waited = time.monotonic() - self._written >= INVENTORY_SECONDS
            if plan == self._plan and (inventory == self._inventory or not waited) and self._path.exists():
                return
            found = snapshot(session)
        write_snapshot(found, self._path)
        self._plan, self._inventory, self._written = plan, inventory, time.monotonic()
