"""How many commands may be begun before a worker is free for them.

Commands that are begun ahead share a commit and keep quick workers busy while it lasts. Behind slow ones they would only wait, with
their step's clock running, and be unknown after a crash: then nothing is begun ahead.
"""

from __future__ import annotations

import time
from collections.abc import Iterable

from playbooks.run.workers import Task

QUICK = 0.1
"""Seconds: what commands last on the average, for others to be begun ahead."""
SLOW = 0.5
"""Seconds: nothing is begun ahead while one lasts longer."""
_WEIGHT = 0.2


class Pace:
    """What is known about how long commands last. New executors believe that they are slow."""

    def __init__(self, workers: int, ahead: int) -> None:
        self._workers, self._ahead = workers, ahead
        self._average = 2 * QUICK

    def came_back(self, task: Task) -> None:
        """A command has ended."""
        if task.began:
            self._average += _WEIGHT * (time.monotonic() - task.began - self._average)

    def room(self, flying: Iterable[Task]) -> int:
        """How many more may be begun beside those that are ``flying``, less than none where there are too many."""
        there, present = list(flying), time.monotonic()
        slow = self._average > QUICK or any(task.began and present - task.began > SLOW for task in there)
        return self._workers * (1 if slow else self._ahead) - len(there)
