"""A run in memory, and what has to be written of it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from operations import clock
from playbooks.run import asking
from playbooks.run.happenings import asked_line, moment, now, plain
from playbooks.run.journal import Claimed
from playbooks.run.machine import ENDED, Machine
from playbooks.run.taking_back import BY_HAND


class Live:
    """A run that an executor has: its machine, and what of it the database already knows."""

    __slots__ = ("asked", "broken", "events", "machine", "run_id", "state", "timer", "turn")

    def __init__(self, claimed: Claimed, machine: Machine) -> None:
        self.run_id = claimed.run_id
        self.broken = ""  # why the program cannot go on with it
        self.machine = machine
        self.events = len(claimed.events)
        self.state = claimed.state  # as the database has it
        self.asked: frozenset[asking.Key] | None = None if claimed.events else frozenset()  # questions as the database has them
        self.timer: int | None = None
        self.turn = False  # stands in the line of runs that have something to begin

    @property
    def may_ask(self) -> bool:
        """Whether rows of questions may have to change."""
        return self.asked is None or bool(self.asked) or (not self.broken and bool(self.machine.questions()))

    def changed(self, flying: Collection[tuple[int, str]], park: float) -> dict[str, Any]:
        """Columns of the run that have to change: only at its beginning, at its end, and where it waits.

        flying  run and call of every command that is being carried out
        park    a run that waits for more seconds is given back to the database
        """
        machine, present = self.machine, clock.now()
        given_back = {"lease_owner": "", "lease_until": "", "events": self.events, "wake_at": None}
        if self.broken:
            return {**given_back, "state": "failed", "reason": self.broken, "ended_at": present}
        if machine.state in ENDED:
            if self.state == machine.state:
                return given_back  # a message came too late
            failure = machine.failure
            reason = f"{failure.code} {failure.step}: {failure.message}" if failure else _how(machine)
            return {**given_back, "state": machine.state, "reason": plain(reason), "ended_at": present}
        if self.parks(flying, park):
            timer = machine.next_timer()
            waiting = {"state": "waiting", "reason": asked_line(machine), "wake_at": moment(timer) if timer is not None else None}
            return {**given_back, **waiting}
        if self.state != machine.state:
            started = {} if self.state in ("waiting", *ENDED) else {"started_at": present}
            return {"state": machine.state, "reason": asked_line(machine), **started}
        return {}

    def parks(self, flying: Collection[tuple[int, str]], park: float) -> bool:
        """Whether the run waits so long that the database may keep it (arguments as for ``changed``)."""
        machine = self.machine
        if machine.has_ready or any((self.run_id, key) in flying for key in machine.open_calls):
            return False
        if machine.begun():
            return False
        timer = machine.next_timer()
        return timer is None or timer - now() > park * 1000


def _how(machine: Machine) -> str:
    return BY_HAND if machine.state == "undone" and machine.taking_back.by_hand else ""
