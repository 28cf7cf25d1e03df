"""Ending a question that a store is answering: by who asked it, or when its time is over.

Whoever asks puts an :class:`Interruption` around the questions (:func:`interruptible`); the stores look at it by themselves, so no
call has a parameter more. It is bound to the thread that asks; :meth:`Interruption.cancel` may be called from any other.

* The lake interrupts DuckDB's statement (``duckdb_interrupt``), at most 0.1 s after the cancel.
* Elasticsearch is told to cancel the search task that carries our ``X-Opaque-Id``; an account that may not do so leaves it to
  the ``timeout`` of the search itself.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from kernel.errors import QueryError


class Interrupted(QueryError):
    """The question was ended before it was answered."""


class Interruption:
    """Ends questions after ``seconds``, or when :meth:`cancel` is called. ``looked``: rows that were looked through so far."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.looked = 0
        self._ends = time.monotonic() + seconds
        self._cancelled = threading.Event()
        self._lock = threading.Lock()
        self._stops: list[Callable[[], None]] = []

    @property
    def left(self) -> float:
        """Seconds until the time is over."""
        return max(0.0, self._ends - time.monotonic())

    @property
    def cancelled(self) -> bool:
        return self._cancelled.is_set()

    @property
    def over(self) -> bool:
        """Cancelled, or out of time."""
        return self._cancelled.is_set() or time.monotonic() >= self._ends

    def cancel(self) -> None:
        """End what is being asked, and everything that is asked from now on."""
        self._cancelled.set()
        with self._lock:
            stops = list(self._stops)
        for stop in stops:
            stop()

    def check(self) -> None:
        """Raises Interrupted when it is over."""
        if self.over:
            raise self.fault()

    def fault(self) -> Interrupted:
        """Why it ended, in words for people."""
        if self.cancelled:
            return Interrupted("the search was cancelled", "start it again")
        return Interrupted(f"the query took longer than {self.seconds:g} s", "ask for a shorter time range or fewer conditions")

    @contextmanager
    def stopping(self, stop: Callable[[], None]) -> Iterator[None]:
        """Within this, a cancel also calls ``stop``."""
        self.check()
        with self._lock:
            self._stops.append(stop)
        try:
            yield
        finally:
            with self._lock:
                self._stops.remove(stop)


_current: ContextVar[Interruption | None] = ContextVar("interruption", default=None)


def current() -> Interruption | None:
    """What may end the question of this thread, if anything."""
    return _current.get()


def check() -> None:
    """Raises Interrupted when the question of this thread is over."""
    found = _current.get()
    if found is not None:
        found.check()


@contextmanager
def interruptible(interruption: Interruption) -> Iterator[Interruption]:
    """Questions asked within this end with ``interruption``."""
    token = _current.set(interruption)
    try:
        interruption.check()
        yield interruption
    finally:
        _current.reset(token)
