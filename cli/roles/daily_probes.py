"""Daily probes in the scheduler: what is due is looked at, and what could not be is told in its health."""

from __future__ import annotations

import threading

from cli.probe_ways import ways
from compliance.probing import service
from compliance.probing.running import run_due
from crypto.secret import MasterKey
from kernel.config import Config
from kernel.db import Database


class DailyProbes:
    """Call it by the clock. ``problem``: targets whose last look failed, "" where there is none; it stays until one succeeds."""

    def __init__(self, database: Database, config: Config, key: MasterKey, stop: threading.Event | None = None) -> None:
        self.problem = ""
        self._database, self._key, self._stop = database, key, stop
        self._way_to = ways(database, config, key)

    def __call__(self) -> None:
        run_due(self._database, self._key, self._way_to, stop=self._stop)
        with self._database.read() as session:
            failed = service.troubles(session)
        told = "; ".join(f"target {one.id} ({one.shown}): {one.error[:200]}" for one in failed)
        self.problem = f"daily probes: {told}" if told else ""
