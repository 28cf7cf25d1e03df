"""Answers that cost a look at the store, kept for some seconds, so that a hundred open pages ask once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")

LEAST_SECONDS = 5.0
MOST_SECONDS = 60.0
_SHARE = 20
"""An answer is kept for this many times as long as it took, so that refreshing never costs more than a twentieth of a processor."""
_MOST_KEPT = 64


class Recent(Generic[T]):
    """Remembers what ``make`` gave for a key, for ``least`` to MOST_SECONDS. Threads that want the same key at once wait for the
    first."""

    def __init__(self, clock: Callable[[], float] = time.monotonic, *, least: float = LEAST_SECONDS) -> None:
        self._clock = clock
        self._least = least
        self._kept: dict[Hashable, tuple[float, T]] = {}
        self._busy: dict[Hashable, threading.Lock] = {}
        self._guard = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The answer for ``key``; raises what ``make`` raises (and remembers nothing then)."""
        with self._guard:
            lock = self._busy.setdefault(key, threading.Lock())
        with lock:
            kept = self._kept.get(key)
            if kept is not None and self._clock() < kept[0]:
                return kept[1]
            begun = self._clock()
            made = make()
            now = self._clock()
            with self._guard:
                self._forget(now)
                self._kept[key] = now + min(MOST_SECONDS, max(self._least, (now - begun) * _SHARE)), made
            return made

    def _forget(self, now: float) -> None:
        old = [key for key, (until, _) in self._kept.items() if until <= now]
        if len(self._kept) - len(old) >= _MOST_KEPT:
            old = list(self._kept)
        for key in old:
            del self._kept[key]
            self._busy.pop(key, None)
