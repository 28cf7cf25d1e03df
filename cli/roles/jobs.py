"""What a role does by the clock."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

log = logging.getLogger("liandun.jobs")


class Job:
    """Something done every ``seconds``; a failure is logged and tried again at the next turn."""

    def __init__(self, name: str, seconds: float, act: Callable[[], object]) -> None:
        self.name = name
        self.problem = ""
        self._seconds = seconds
        self._act = act
        self._due = 0.0

    @property
    def is_due(self) -> bool:
        return time.monotonic() >= self._due

    def run_if_due(self) -> None:
        if not self.is_due:
            return
        self._due = time.monotonic() + self._seconds
        try:
            self._act()
            self.problem = ""
        except Exception as error:  # one job must not stop the others
            self.problem = f"{self.name}: {error}"
            log.exception("job %s failed", self.name)


class SlowJob(Job):
    """A job that may take minutes: it runs beside the others, one at a time."""

    _thread: threading.Thread | None = None

    def run_if_due(self) -> None:
        if self.is_due and (self._thread is None or not self._thread.is_alive()):
            self._thread = threading.Thread(target=super().run_if_due, name=self.name, daemon=True)
            self._thread.start()
