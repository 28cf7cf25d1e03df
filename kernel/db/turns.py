"""Writers of one process take turns, first come, first served.

SQLite has one writer at a time, and who waits for it asks again and again with growing pauses, so a thread that has just come may
overtake one that has waited for a second. Among the threads of a process this line decides; between processes the database's own
lock still does, and whoever is first in the line waits there alone.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class TurnTimeout(Exception):
    """One's turn did not come in time."""


class TurnTaken(TurnTimeout):
    """The thread has the turn already and would wait for itself: a write transaction inside another one."""


class Turns:
    """A fair lock. Not reentrant: a thread that asks again while it has its turn is refused at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._line: deque[threading.Event] = deque()
        self._taken = False
        self._holder = 0  # the thread that has the turn, 0 while it passes on

    @contextmanager
    def turn(self, patience: float) -> Iterator[None]:
        """Wait for one's turn, at most ``patience`` seconds. Raises TurnTimeout."""
        if self._holder == threading.get_ident():  # only this thread itself can have written that
            raise TurnTaken
        self._wait(patience)
        self._holder = threading.get_ident()
        try:
            yield
        finally:
            self._next()

    def _wait(self, patience: float) -> None:
        mine = threading.Event()
        with self._lock:
            if not self._taken:
                self._taken = True
                return
            self._line.append(mine)
        if mine.wait(patience):
            return
        with self._lock:
            if not mine.is_set():  # else it came in the last moment
                self._line.remove(mine)
                raise TurnTimeout

    def _next(self) -> None:
        with self._lock:
            self._holder = 0
            if self._line:
                self._line.popleft().set()  # the turn passes on without becoming free: nobody can push in
            else:
                self._taken = False
