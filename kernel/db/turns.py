"""The line of writers of one process before a SQLite file: first come, first served.

SQLite lets one transaction write at a time. Whoever meets the lock only sleeps and looks again, ever longer (1 to 100 ms,
https://www.sqlite.org/c3ref/busy_timeout.html): with several writers the one that waited longest mostly loses to one that just
came. Here each waits for its turn before it asks SQLite, and the one that ends hands the turn straight to the next. Writers of
other processes are kept apart by the lock of the file alone, as before.

    turns = Turns(patience=30)
    with turns.turn():     # StateUnavailable ("busy") after 30 s
        ...

Invariants: at most one holds the turn; a turn that was handed over is never lost, also where the next one just lost its patience;
a thread that holds the turn and asks again would wait for itself and is refused at once.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from kernel.errors import StateUnavailable


class _Place:
    """A place in the line."""

    __slots__ = ("called", "thread")

    def __init__(self) -> None:
        self.thread = threading.get_ident()
        self.called = threading.Event()


class Turns:
    """Safe to share between threads. ``patience``: seconds that one waits for the turn."""

    def __init__(self, patience: float) -> None:
        self._patience = patience
        self._lock = threading.Lock()  # held for some instructions only, never while waiting
        self._holder: _Place | None = None
        self._line: deque[_Place] = deque()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Waits for the turn and keeps it for the block. Raises StateUnavailable."""
        place = _Place()
        try:
            if not self._stand(place) and not place.called.wait(self._patience) and not self._late(place):
                raise StateUnavailable(
                    f"the state database was not free to write within {self._patience:g} s: other writers of this process hold it",
                    "try again; if it stays so, restart this role",
                    reason="busy",
                )
            yield
        finally:
            self._leave(place)

    @property
    def waiting(self) -> int:
        """How many stand in the line."""
        return len(self._line)

    def _stand(self, place: _Place) -> bool:
        """Take the turn where it is free (True), else a place at the end of the line."""
        with self._lock:
            if self._holder is None:
                self._holder = place
                return True
            if self._holder.thread == place.thread:
                raise StateUnavailable(
                    "a write transaction was begun inside another one of the same thread",
                    "this is a mistake in the program: please report it with the log",
                    reason="busy",
                )
            self._line.append(place)
            return False

    def _late(self, place: _Place) -> bool:
        """True where the turn came in the very moment the patience ended."""
        with self._lock:
            return self._holder is place

    def _leave(self, place: _Place) -> None:
        """Give up the turn, or the place in the line; also where the block or the waiting was interrupted."""
        with self._lock:
            if self._holder is place:
                self._holder = self._line.popleft() if self._line else None
                if self._holder is not None:
                    self._holder.called.set()
            elif place in self._line:
                self._line.remove(place)
