"""What a run waits for: delays, timeouts, pauses between attempts, the end of a question, the end of the run."""

from __future__ import annotations

import heapq
from collections.abc import Callable

from playbooks.run.state import Call, Visit


class Timer:
    """``kind``: run, delay, timeout, retry, approval; ``visit`` None: of the whole run."""

    __slots__ = ("at", "kind", "number", "visit")

    def __init__(self, at: int, number: int, kind: str, visit: Visit | None) -> None:
        self.at, self.number, self.kind, self.visit = at, number, kind, visit

    def __lt__(self, other: Timer) -> bool:
        return (self.at, self.number) < (other.at, other.number)


class Timers:
    """The timers of a run, the next one first. Nobody takes one out: those that nobody waits for any more are passed over."""

    def __init__(self, running: Callable[[], bool]) -> None:
        """``running``: whether the run has not ended."""
        self._heap: list[Timer] = []
        self._number = 0
        self._running = running

    def start(self, at: int, kind: str, visit: Visit | None) -> int:
        """A timer that is due at ``at``; returns its number. Of a step's timeouts the last one counts."""
        self._number += 1
        heapq.heappush(self._heap, Timer(at, self._number, kind, visit))
        if kind == "timeout" and visit is not None:
            visit.timer, visit.due = self._number, at
        return self._number

    def put_off(self, visit: Visit, milliseconds: int) -> None:
        """The clock of a step has stood still for so long (and its timer may have been left out meanwhile)."""
        if visit.timer:
            self.start(visit.due + milliseconds, "timeout", visit)

    def clear(self) -> None:
        """Nothing is waited for any more."""
        self._heap.clear()

    def next(self) -> int | None:
        """When the next one is due; None where nothing is waited for."""
        while self._heap and not self._counts(self._heap[0]):
            heapq.heappop(self._heap)
        return self._heap[0].at if self._heap else None

    def due(self, now: int) -> Timer | None:
        """Take the next one out that is due at ``now``; None where there is none."""
        at = self.next()
        return heapq.heappop(self._heap) if at is not None and at <= now else None

    def deadline(self, call: Call) -> int | None:
        """When the step of ``call`` runs out of time; None where its clock stands still."""
        return next((one.at for one in self._heap if one.kind == "timeout" and one.number == call.visit.timer), None)

    def _counts(self, timer: Timer) -> bool:
        """Whether anybody still waits for it."""
        visit = timer.visit
        if visit is None:
            return self._running()
        call = visit.call
        match timer.kind:
            case "delay":
                return visit.phase == "delay"
            case "retry":
                return call is not None and call.phase == "retry"
            case "approval":
                waits = call is not None and call.phase == "approval"
                return waits and call.consent is not None and call.consent.timer == timer.number  # type: ignore[union-attr]
        if timer.number != visit.timer:
            return False  # another attempt has a timer of its own
        return visit.phase not in ("done", "delay") and (call is None or call.phase not in ("ready", "approval", "unknown"))
