"""Upkeep of the event store beside the pipeline: retention every hour, compaction or rollover every minute.

Each for itself: what stops one must not stop the other. Retention goes first, it is what frees a full disk.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from kernel.event import timestamp_from_micros
from kernel.store.contract import EventStore

log = logging.getLogger("liandun.worker")

COMPACT_SECONDS = 60.0
RETAIN_SECONDS = 3600.0


class Upkeep:
    """The store serialises it with commits. ``problem`` says what failed last time, "" when all went well."""

    def __init__(self, store: EventStore, retention_days: int) -> None:
        self._store = store
        self._days = retention_days
        self._retained: float | None = None
        self._problems: dict[str, str] = {}

    @property
    def problem(self) -> str:
        return "; ".join(self._problems.values())

    def run(self, stop: threading.Event) -> None:
        """Until told to stop."""
        while not stop.wait(COMPACT_SECONDS):
            self.once()

    def once(self) -> None:
        """What is due. What failed is logged, told as ``problem``, and tried again next time."""
        if self._retained is None or time.monotonic() - self._retained > RETAIN_SECONDS:
            begun = time.monotonic()
            if self._try("retention", self._retain):
                self._retained = begun
        self._try("compaction", self._store.compact)

    def _try(self, name: str, act: Callable[[], object]) -> bool:
        try:
            act()
        except Exception as error:  # upkeep must not stop the road
            log.exception("%s of the event store failed", name)
            self._problems = {**self._problems, name: f"{name} of the event store failed: {error}"}
            return False
        self._problems = {other: problem for other, problem in self._problems.items() if other != name}
        return True

    def _retain(self) -> None:
        dropped = self._store.retain(self._days, timestamp_from_micros(time.time_ns() // 1000))
        if dropped:
            log.info("retention: %d events older than %d days dropped", dropped, self._days)
