"""The clocks of an incident: SLA (acknowledge, contain, resolve) and statutory reports. Pure: no database, no present moment.

Rules
- An SLA clock runs from discovery to its act. While an incident is paused (waiting for a vendor, a court) SLA clocks stand still:
  the deadline moves by as long as the pause took, as far as it lies between start and act.
- A statutory clock never pauses, and runs only from the level on that has to be reported (data/deadlines.yaml). The closing report
  is due so many days after the incident was resolved.
- ``soon`` is the last quarter of the time, at least 15 minutes of it, but never more than half.
- While nobody has decided the level, clocks go by the suggested one and say that they are provisional.

Moments are @timestamp text, "" = not yet.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from operations import clock

SLA: tuple[str, ...] = ("ack", "contain", "resolve")
STATUTORY: tuple[str, ...] = ("report", "closing")
KEYS: tuple[str, ...] = (*SLA, *STATUTORY)
RUNNING = frozenset({"running", "soon", "overdue"})


class Deadlines(msgspec.Struct, frozen=True):
    """The numbers in force, minutes: ``sla[what][level]``, ``report[operator]``, ``closing``; reports due from ``from_level``."""

    sla: Mapping[str, Mapping[int, int]]
    report: Mapping[str, int]
    closing: int
    from_level: int = 3


class Facts(msgspec.Struct, frozen=True):
    """What the clocks of one incident go by. ``level`` 1 to 4, 0 = undecided; ``pauses`` (from, to), ``to`` "" = still."""

    detected_at: str
    level: int = 0
    suggested_level: int = 4
    operator: str = "other"
    acknowledged_at: str = ""
    contained_at: str = ""
    resolved_at: str = ""
    reported_at: str = ""
    closing_reported_at: str = ""
    ended_at: str = ""
    pauses: tuple[tuple[str, str], ...] = ()


class Clock(msgspec.Struct, frozen=True):
    """One clock at one moment.

    state        running, soon, overdue, paused, met (in time), missed (done too late), ended (closed without), waiting (not begun)
    seconds      left until ``due`` (negative: over it); of a clock that is done, what was left then
    warn_at      when ``soon`` begins
    provisional  goes by a level that nobody has decided
    """

    key: str
    state: str
    start: str
    due: str
    warn_at: str
    done_at: str
    seconds: int
    statutory: bool
    provisional: bool


def clocks(facts: Facts, numbers: Deadlines, now: str) -> list[Clock]:
    """Every clock that concerns the incident, SLA first."""
    level = facts.level or facts.suggested_level or 4
    provisional = not facts.level
    done = {"ack": facts.acknowledged_at, "contain": facts.contained_at, "resolve": facts.resolved_at}
    found = [
        _clock(key, facts.detected_at, numbers.sla[key][level], done[key], facts.pauses, facts.ended_at, now, False, provisional)
        for key in SLA
    ]
    if level <= numbers.from_level:
        minutes = numbers.report.get(facts.operator, min(numbers.report.values()))
        found.append(_clock("report", facts.detected_at, minutes, facts.reported_at, (), "", now, True, provisional))
        if facts.resolved_at:
            done_at = facts.closing_reported_at
            found.append(_clock("closing", facts.resolved_at, numbers.closing, done_at, (), "", now, True, provisional))
        else:
            found.append(Clock("closing", "waiting", "", "", "", "", 0, True, provisional))
    return found


def next_due(found: list[Clock]) -> str:
    """The earliest deadline of the clocks that run, "" where none does."""
    return min((one.due for one in found if one.state in RUNNING), default="")


def next_change(found: list[Clock], now: str) -> str:
    """When the next clock becomes due-soon or overdue, "" where none will."""
    moments = [moment for one in found if one.state in RUNNING for moment in (one.warn_at, one.due) if moment > now]
    return min(moments, default="")


def reminders(found: list[Clock]) -> list[tuple[Clock, str]]:
    """The clocks that somebody has to be reminded of, with the kind: soon or overdue."""
    return [(one, one.state) for one in found if one.state in ("soon", "overdue")]


def paused_seconds(pauses: tuple[tuple[str, str], ...], start: str, end: str) -> float:
    """How long the pauses covered the time from ``start`` to ``end``; pauses that overlap count once."""
    total, reached = 0.0, start
    for begun, ended in sorted(pauses):
        first, last = max(begun, reached), min(ended or end, end)
        if last > first:
            total += (clock.moment(last) - clock.moment(first)).total_seconds()
            reached = last
    return total


def _clock(
    key: str, start: str, minutes: int, done_at: str, pauses: tuple[tuple[str, str], ...], ended_at: str, now: str,
    statutory: bool, provisional: bool,
) -> Clock:  # fmt: skip
    stop = done_at or ended_at or now
    due = clock.shift(start, minutes * 60 + paused_seconds(pauses, start, max(stop, start)))
    warn_at = clock.shift(due, -_warning(minutes * 60))
    seconds = round((clock.moment(due) - clock.moment(stop)).total_seconds())
    if done_at:
        state = "met" if done_at <= due else "missed"
    elif ended_at:
        state = "ended"
    elif pauses and not max(pauses)[1]:
        state = "paused"
    else:
        state = "overdue" if now > due else "soon" if now >= warn_at else "running"
    return Clock(key, state, start, due, warn_at, done_at, seconds, statutory, provisional)


def _warning(seconds: float) -> float:
    return min(max(seconds / 4, 900.0), seconds / 2)
