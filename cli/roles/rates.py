"""A short history of a growing counter, as records per second."""

from __future__ import annotations

import time
from collections import deque

STEP_SECONDS = 5
STEPS = 120


class Rates:
    """Call :meth:`note` at least every STEP_SECONDS; :meth:`history` has up to ten minutes, oldest first."""

    def __init__(self) -> None:
        self._rates: deque[float] = deque(maxlen=STEPS)
        self._last: tuple[float, int] | None = None

    def note(self, total: int) -> None:
        now = time.monotonic()
        if self._last is None:
            self._last = (now, total)
            return
        elapsed = now - self._last[0]
        if elapsed >= STEP_SECONDS:
            self._rates.append(round((total - self._last[1]) / elapsed, 2))
            self._last = (now, total)

    def history(self) -> list[float]:
        return list(self._rates)
