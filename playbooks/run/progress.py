"""How far a run has come, step by step, read out of the trace in its journal.

    >>> progress([Line(1, started, trace)])["", "action--…"].state
    'now'

Steps are named by the playbook they stand in ("" is the run's own one, else the id of a called one) and their id. A step that was
gone through several times shows the last time.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import msgspec

from playbooks.run.events import Entry
from playbooks.run.journal import Line

Place: TypeAlias = tuple[str, str]
"""Playbook ("" = the run's own) and step."""

_STATES = {
    "begun": "now",
    "approved": "now",
    "decided": "now",
    "asked": "asked",
    "delay": "wait",
    "retry": "wait",
    "unknown": "unknown",
}
_SETTLED = frozenset({"done", "failed"})


class StepProgress(msgspec.Struct, frozen=True):
    """How a step stands.

    state  now | wait (for a timer) | asked (a person) | unknown (nobody knows whether it was done) | done | failed | cut (the run
           ended first)
    times  how often it was entered; ``since`` and ``until``: milliseconds since the epoch, 0 = not yet
    code   why it failed
    """

    state: str
    times: int = 1
    since: int = 0
    until: int = 0
    code: str = ""
    message: str = ""


class Frames:
    """Which playbook a branch of the trace belongs to: a called one has the branch of the step that called it as its beginning."""

    def __init__(self) -> None:
        self._called: dict[str, str] = {}

    def note(self, entry: Entry) -> None:
        """Remember a call."""
        if entry.event == "playbook":
            self._called[f"{entry.branch}/{entry.step}"] = entry.to

    def of(self, branch: str) -> str:
        """The id of the called playbook, "" for the run's own."""
        label = branch.removeprefix("undo/")
        while label:
            if label in self._called:
                return self._called[label]
            label = label.rpartition("/")[0]
        return ""


def progress(lines: Iterable[Line], *, over: bool = False) -> dict[Place, StepProgress]:
    """Every step that was reached. ``over``: the run has ended, so what is still open was cut off."""
    frames, found = Frames(), dict[Place, StepProgress]()
    for line in lines:
        for entry in line.trace:
            frames.note(entry)
            if entry.step:
                place = (frames.of(entry.branch), entry.step)
                after = _after(found.get(place), entry, line.event.at)
                if after is not None:
                    found[place] = after
    if over:
        open_ones = {place: one for place, one in found.items() if one.state not in _SETTLED}
        found |= {place: msgspec.structs.replace(one, state="cut") for place, one in open_ones.items()}
    return found


def _after(before: StepProgress | None, entry: Entry, at: int) -> StepProgress | None:
    """The step after one line of the trace; None where the line says nothing about it."""
    if entry.event == "step":
        return StepProgress("now", before.times + 1 if before else 1, at)
    if before is None:
        return None
    if entry.event == "left":
        state = "failed" if entry.outcome == "failure" else "done"
        return msgspec.structs.replace(before, state=state, until=at, code=entry.code, message=entry.message)
    state = _STATES.get(entry.event, "")
    return msgspec.structs.replace(before, state=state) if state else None
