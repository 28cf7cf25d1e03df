"""Time windows of one correlation: which of its groups fulfil its condition, and when.

Two ways to decide, by the condition:

- *at once* (gt, gte; temporal without ``not``): looked at with each event, over the ``timespan`` that ends with the newest one.
  What fired is used up: the window starts empty again, so 25 failed logins at "10 in five minutes" are two detections, not sixteen.
- *at the close* (lt, lte, eq, neq; temporal with ``not``): the window opens with the first event and is judged ``timespan`` later.

Events may come out of order; one that is older than the group's window is left out and counted.
"""

from __future__ import annotations

import bisect
from collections import OrderedDict
from typing import Any

import msgspec

from detectors.sigma.correlation_spec import TEMPORAL
from detectors.sigma.rule import CorrelationSpec
from kernel.event import Event

MAX_GROUPS = 50_000  # groups of one rule; the one untouched for longest goes first
MAX_ENTRIES = 10_000  # events of one group
_CLOSING = ("lt", "lte", "eq", "neq")

Key = tuple[str, ...]


class Entry(msgspec.Struct, array_like=True):
    """An event in a window. ``rule``: position in the correlation's ``rules``; ``value``: of the condition's field."""

    time: float
    rule: int
    value: str
    event_ids: list[str]


class Group(msgspec.Struct):
    entries: list[Entry]
    last: Event
    opened: float = 0.0


class Fulfilled(msgspec.Struct):
    """A group that fulfils the condition: ``measure`` is what was counted."""

    key: Key
    measure: float
    entries: list[Entry]
    last: Event


class Windows:
    """Groups of one correlation. ``dropped``: events too old, or pushed out by the limits."""

    def __init__(self, spec: CorrelationSpec) -> None:
        self.spec = spec
        self.closing = spec.op in _CLOSING or _has_not(spec.expression)
        self.groups: OrderedDict[Key, Group] = OrderedDict()
        self.dropped = 0
        self.deadline = float("inf")

    def add(self, key: Key, entry: Entry, event: Event) -> Fulfilled | None:
        """Take an event into its group; what it fulfils, if it is decided at once."""
        group = self.groups.get(key)
        if group is None:
            if len(self.groups) >= MAX_GROUPS:
                self.groups.popitem(last=False)
                self.dropped += 1
            group = self.groups[key] = Group([], event, entry.time)
        self.groups.move_to_end(key)
        newest = max(entry.time, group.entries[-1].time if group.entries else entry.time)
        if entry.time < newest - self.spec.seconds:
            self.dropped += 1
            return None
        bisect.insort(group.entries, entry, key=lambda one: one.time)
        if entry.time >= newest:
            group.last = event
        if len(group.entries) > MAX_ENTRIES:
            del group.entries[0]
            self.dropped += 1
        if self.closing:
            group.opened = group.entries[0].time
            self.deadline = min(self.deadline, group.opened + self.spec.seconds)
            return None
        start = bisect.bisect_left(group.entries, newest - self.spec.seconds, key=lambda one: one.time)
        del group.entries[:start]
        measure = self.measure(group.entries)
        if measure is None or not self.holds(measure):
            return None
        del self.groups[key]
        return Fulfilled(key, measure, group.entries, group.last)

    def close(self, now: float) -> list[Fulfilled]:
        """Judge the windows that ended before ``now`` (seconds since the epoch)."""
        if now <= self.deadline:
            return []
        found: list[Fulfilled] = []
        self.deadline = float("inf")
        for key, group in list(self.groups.items()):
            end = group.opened + self.spec.seconds
            if end >= now:
                self.deadline = min(self.deadline, end)
                continue
            del self.groups[key]
            measure = self.measure(group.entries)
            if measure is not None and self.holds(measure):
                found.append(Fulfilled(key, measure, group.entries, group.last))
        return found

    def expire(self, now: float) -> None:
        """Forget groups without an event within the timespan (only memory; answers do not change)."""
        if self.closing:
            return
        oldest = now - self.spec.seconds
        for key in [key for key, group in self.groups.items() if group.entries[-1].time < oldest]:
            del self.groups[key]

    def holds(self, measure: float) -> bool:
        count = self.spec.count
        match self.spec.op:
            case "gt":
                return measure > count
            case "gte":
                return measure >= count
            case "lt":
                return measure < count
            case "lte":
                return measure <= count
            case "eq":
                return measure == count
            case _:
                return measure != count

    def measure(self, entries: list[Entry]) -> float | None:
        """What the condition is about; None where there is nothing to judge."""
        kind = self.spec.type
        if kind == "event_count":
            return float(len(entries))
        if kind == "value_count":
            return float(len({entry.value for entry in entries}))
        if kind in TEMPORAL:
            return self._temporal(entries)
        numbers = sorted(float(entry.value) for entry in entries)
        if not numbers:
            return None
        if kind == "value_sum":
            return sum(numbers)
        if kind == "value_avg":
            return sum(numbers) / len(numbers)
        return percentile(numbers, 50.0 if kind == "value_median" else self.spec.percentile)

    def _temporal(self, entries: list[Entry]) -> float | None:
        seen = {entry.rule for entry in entries}
        if self.spec.expression:
            names = {self.spec.rules[rule] for rule in seen}
            if not _true(self.spec.expression, names):
                return None
            if self.spec.type == "temporal_ordered" and not self._in_order(entries, sorted(seen)):
                return None
            return max(float(len(seen)), self.spec.count)
        if self.spec.type == "temporal_ordered":
            wanted = list(range(len(self.spec.rules)))
            return float(len(wanted)) if self._in_order(entries, wanted) else None
        return float(len(seen))

    def _in_order(self, entries: list[Entry], wanted: list[int]) -> bool:
        """True where the rules were hit one after another (equal times count as in order)."""
        times: list[list[float]] = [[entry.time for entry in entries if entry.rule == rule] for rule in wanted]
        limit = float("-inf")
        for of_rule in times:
            position = bisect.bisect_left(of_rule, limit)
            if position == len(of_rule):
                return False
            limit = of_rule[position]
        return True


def percentile(numbers: list[float], percent: float) -> float:
    """Percentile of sorted numbers, linear between neighbours."""
    position = (len(numbers) - 1) * percent / 100
    low = int(position)
    high = min(low + 1, len(numbers) - 1)
    return numbers[low] + (numbers[high] - numbers[low]) * (position - low)


def _has_not(expression: list[Any]) -> bool:
    return bool(expression) and (expression[0] == "not" or any(isinstance(one, list) and _has_not(one) for one in expression[1:]))


def _true(expression: list[Any], names: set[str]) -> bool:
    word, *rest = expression
    if word == "rule":
        return rest[0] in names
    if word == "not":
        return not _true(rest[0], names)
    truths = (_true(one, names) for one in rest)
    return all(truths) if word == "and" else any(truths)
