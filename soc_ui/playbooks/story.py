"""The journal of a run as sentences: when, at which step, what happened, who said so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

import msgspec

from playbooks.run.events import Approved, Begun, Cancelled, Decided, Ended, Entry, Event, Resumed, Settled
from playbooks.run.journal import Line
from playbooks.run.progress import Frames
from playbooks.variables import Value
from soc_ui.locale import _
from soc_ui.playbooks import words
from soc_ui.playbooks.titles import Titles

_WARN = frozenset({"asked", "retry", "unknown", "late", "cancel", "undo"})
_BY_HAND = "manual "
"""Beginning of the lines of commands that people carry out."""
_BAD = frozenset({"timeout", "exception"})
_QUIET = frozenset({"condition", "case", "round", "joined", "playbook", "delay"})


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened.

    step    its name, "" where it concerns the whole run; ``within``: the called playbook it stands in
    line    the command with its values, as it was sent; ``more``: a message or comment
    given   values that came back
    look    good | bad | warn | quiet | ""
    """

    at: datetime
    text: str
    step: str = ""
    within: str = ""
    line: str = ""
    more: str = ""
    by: str = ""
    given: Mapping[str, Value] = {}
    look: str = ""


def story(lines: Iterable[Line], titles: Mapping[str, Titles]) -> list[Told]:
    """What the journal says, in its order. ``titles``: by id of a called playbook, "" for the run's own."""
    frames, found = Frames(), list[Told]()
    for line in lines:
        at = datetime.fromtimestamp(line.event.at / 1000, UTC)
        if isinstance(line.event, Resumed):
            found.append(Told(at=at, text=_("taken over by another process of the platform"), look="warn"))
        failed = {entry.step for entry in line.trace if entry.event == "ended" and entry.outcome == "failure"}
        for entry in line.trace:
            frames.note(entry)
            text = words.happened(entry)
            if text and not (entry.event == "left" and entry.step in failed):
                found.append(_told(at, entry, line.event, text, titles, frames.of(entry.branch)))
    return found


def _told(at: datetime, entry: Entry, event: Event, text: str, titles: Mapping[str, Titles], frame: str) -> Told:
    names = titles.get(frame)
    line = event.line if isinstance(event, Begun) and entry.event == "begun" else ""
    if line.startswith(_BY_HAND):
        text, line = _("a person is asked"), line.removeprefix(_BY_HAND)
    return Told(
        at=at,
        text=text,
        step=names.step(entry.step) if names and entry.step else entry.step,
        within=(names.name if names else frame) if frame else "",
        line=line,
        more=_more(entry, event),
        by=getattr(event, "by", "") if entry.event in ("approved", "ended", "decided", "cancel", "undo", "settled") else "",
        given=event.variables if isinstance(event, Ended | Decided) and entry.event in ("ended", "decided") else {},
        look=_look(entry),
    )


def _more(entry: Entry, event: Event) -> str:
    if isinstance(event, Approved | Decided | Settled) and entry.event in ("approved", "decided", "settled"):
        return event.comment
    if entry.event == "ended" and isinstance(event, Ended):
        return event.message
    if entry.event == "cancel" and isinstance(event, Cancelled):
        return event.reason
    return entry.message if entry.event in ("left", "run", "exception") else ""


def _look(entry: Entry) -> str:
    if entry.event in _QUIET:
        return "quiet"
    if entry.outcome in ("failure", "failed", "no"):
        return "bad"
    if entry.outcome in ("success", "finished", "yes") or entry.event == "settled":
        return "good"
    return "bad" if entry.event in _BAD else "warn" if entry.event in _WARN else ""
