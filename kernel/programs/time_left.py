"""Until when a program may last."""

from __future__ import annotations

import threading
import time
from typing import Protocol

from kernel.programs.error import ProgramError


class TimeLeft(Protocol):
    """Who asks for a program says how long it may go on; a program looks several times a second."""

    def left(self) -> float:
        """Seconds that are left, above 0. Raises an error of the caller's own where there are none, or it was called off."""
        ...


class Deadline:
    """So many seconds from now, or until ``stop`` is set."""

    def __init__(self, seconds: float, stop: threading.Event | None = None) -> None:
        self._until = time.monotonic() + seconds
        self._stop = stop

    def left(self) -> float:
        """Raises ProgramError: TIMEOUT, CANCELLED."""
        if self._stop is not None and self._stop.is_set():
            raise ProgramError("it was called off", code="CANCELLED")
        left = self._until - time.monotonic()
        if left <= 0:
            raise ProgramError("it took too long", code="TIMEOUT")
        return left
