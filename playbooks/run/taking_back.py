"""What a run has done that can be taken back, and how far taking it back has come.

An entry is kept from the moment that a command of the step begins until its undo step has succeeded, or a person has settled it by
hand: another undo goes on with what is left. What takes back is not taken back itself.
"""

from __future__ import annotations

from typing import NamedTuple

from playbooks.actions.contract import Failure
from playbooks.extension import ExtensionError, options_of
from playbooks.model import Action
from playbooks.run.state import Visit
from playbooks.variables import Scope

BY_HAND = "settled by hand"
"""Reason of a run that is taken back, at least in part by people."""


class Undo(NamedTuple):
    """The undo step of a visit, with the variables of then."""

    step: str
    visit: Visit
    scope: Scope


class Left(NamedTuple):
    """Something that an undo did not take back. ``failure``: why, None where it did not come to it."""

    undo: Undo
    failure: Failure | None


class TakingBack:
    """``by``: who last asked for it. ``failure``: the first one of this undo. ``by_hand``: a person settled at least a part."""

    def __init__(self) -> None:
        self.by = ""
        self.by_hand = False
        self.failure: Failure | None = None
        self._failures: dict[int, Failure] = {}  # the last one of each that is kept
        self._kept: dict[int, Undo] = {}  # by number of the visit, the oldest first
        self._left: list[int] | None = None  # what this undo has not tried yet; None: the run was never to be taken back
        self._now = 0

    @property
    def has_begun(self) -> bool:
        """Somebody has asked for it at some time."""
        return self._left is not None

    def __len__(self) -> int:
        return len(self._kept)

    def remember(self, visit: Visit) -> None:
        """A command of this step begins, so it may have done something."""
        if isinstance(visit.step, Action) and self._left is None:
            try:
                step = options_of(visit.step).undo
            except ExtensionError:
                return
            if step:
                self._kept.pop(visit.number, None)
                self._kept[visit.number] = Undo(step, visit, visit.scope.copied())

    def refresh(self, visit: Visit) -> None:
        """A command of the step was done, or the step is over: what it gave back counts, and the order in which steps ended."""
        if visit.number in self._kept:
            self.remember(visit)

    def forget(self, visit: Visit) -> None:
        """Nothing of the step was done."""
        self._kept.pop(visit.number, None)

    def begin(self, by: str) -> None:
        """Take back whatever has not been taken back yet."""
        self.by, self.failure, self._left = by, None, list(self._kept)

    def next(self) -> Undo | None:
        """What to take back now, the last one first; None where all has been tried."""
        if not self._left:
            return None
        self._now = self._left.pop()
        return self._kept[self._now]

    def taken_back(self) -> None:
        """What ``next`` gave has been taken back."""
        self._kept.pop(self._now, None)

    def failed(self, failure: Failure) -> None:
        """What ``next`` gave could not be taken back; it is left for another undo."""
        self.failure = self.failure or failure
        self._failures[self._now] = failure

    def left(self) -> list[Left]:
        """What is not taken back although somebody asked for it, the last one first; of a run that has ended."""
        if not self.has_begun:
            return []
        return [Left(undo, self._failures.get(number)) for number, undo in reversed(self._kept.items())]

    def is_left(self, visit: int) -> bool:
        """Whether ``left`` has it."""
        return self.has_begun and visit in self._kept

    def settle(self, visit: int) -> Undo | None:
        """A person has taken it back; None where it is not left."""
        if not self.is_left(visit):
            return None
        self.by_hand = True
        return self._kept.pop(visit)
