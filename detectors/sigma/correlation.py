"""Correlation rules (Sigma specification 2.0, "Sigma correlation rules"): hits of rules, counted and ordered within a timespan.

A rule is referred to by its name or id; a correlation may be referred to like any rule (chained). Group-by values come from the
event through the same field mapping as the rule's own fields, or through ``aliases``; an event without them takes no part.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from detectors.sigma.correlation_spec import NUMERIC
from detectors.sigma.locate import line_of
from detectors.sigma.predicates import number_of
from detectors.sigma.rule import CorrelationSpec, RuleFailure, RuleInfo
from detectors.sigma.values import texts_of
from detectors.sigma.windows import Entry, Fulfilled, Group, Key, Windows
from kernel.detection import Detection, MatchedField, detection_id
from kernel.event import Event

FieldValue = Callable[[int, str, Event], Any]
"""(rule number, field as the rule writes it, event) → value or None."""

MAX_EVENT_IDS = 1_000  # of one detection
_EXPIRE_EVERY = 5_000  # hits between two clean-ups


class _Correlation:
    """A correlation rule at work. ``positions``: rule number → positions in its ``rules``; ``upper``: the same for correlations."""

    def __init__(self, info: RuleInfo, spec: CorrelationSpec) -> None:
        self.info = info
        self.spec = spec
        self.windows = Windows(spec)
        self.positions: dict[int, list[int]] = {}
        self.upper: dict[int, list[int]] = {}

    def digest(self) -> str:
        return hashlib.blake2b(msgspec.json.encode(self.spec, order="sorted"), digest_size=16).hexdigest()


class _GroupState(msgspec.Struct, array_like=True):
    key: Key
    group: Group


class _RuleState(msgspec.Struct, array_like=True):
    rule: str
    digest: str
    groups: list[_GroupState]


class Correlator:
    """All correlations. ``active``: there are any; ``counters``: ungrouped (an event had no group-by value), late or pushed out."""

    def __init__(
        self,
        rules: Sequence[RuleInfo],
        correlations: Iterable[tuple[RuleInfo, CorrelationSpec]],
        failures: list[RuleFailure],
        field_value: FieldValue,
    ) -> None:
        self._field_value = field_value
        self._hits = 0
        self.counters = {"ungrouped": 0, "without_time": 0}
        self._correlations = _resolved(rules, [_Correlation(info, spec) for info, spec in correlations], failures)
        self.active = bool(self._correlations)
        self._by_rule: dict[int, list[_Correlation]] = {}
        for one in self._correlations:
            for number in one.positions:
                self._by_rule.setdefault(number, []).append(one)
        self._mark_reported(rules)

    def _mark_reported(self, rules: Sequence[RuleInfo]) -> None:
        """Rules that feed correlations are reported themselves only where one of those says ``generate``."""
        referring: dict[int, list[bool]] = {}
        for one in self._correlations:
            for number in one.positions:
                referring.setdefault(id(rules[number]), []).append(one.spec.generate)
            for number in one.upper:
                referring.setdefault(id(self._correlations[number].info), []).append(one.spec.generate)
        for info in [*rules, *(one.info for one in self._correlations)]:
            generate = referring.get(id(info))
            if generate is not None:
                info.reported = any(generate)

    def working(self) -> set[int]:
        """``id()`` of the infos of the correlations whose references were found."""
        return {id(one.info) for one in self._correlations}

    def feed(self, numbers: Sequence[int], event: Event) -> list[Detection]:
        """Detections that an event completes; ``numbers``: the rules that fired on it."""
        moment = _seconds(event.get("@timestamp"))
        if moment is None:
            self.counters["without_time"] += 1
            return []
        found = self.tick(moment)
        for number in numbers:
            for one in self._by_rule.get(number, ()):
                for position in one.positions[number]:
                    found += self._add(one, position, number, moment, event, None)
        self._hits += 1
        if self._hits % _EXPIRE_EVERY == 0:
            for one in self._correlations:
                one.windows.expire(moment)
        return found

    def tick(self, now: float) -> list[Detection]:
        """Detections of windows that have ended by ``now`` (seconds since the epoch)."""
        found: list[Detection] = []
        for one in self._correlations:
            if one.windows.closing and now > one.windows.deadline:
                for fulfilled in one.windows.close(now):
                    found += self._fire(one, fulfilled)
        return found

    def _add(
        self, one: _Correlation, position: int, number: int, moment: float, event: Event, lower: Detection | None
    ) -> list[Detection]:
        def value_of(field: str) -> Any:
            name = self._aliased(one, position, field)
            if lower is not None:
                return lower.group.get(name, event.get(name))
            return self._field_value(number, name, event)

        key = []
        for field in one.spec.group_by:
            texts = texts_of(value_of(field))
            if not texts:
                self.counters["ungrouped"] += 1
                return []
            key.append(", ".join(texts))
        value = _condition_value(one.spec, value_of)
        if value is None:
            return []
        event_ids = lower.event_ids if lower is not None else [str(event.get("event.id", ""))]
        fulfilled = one.windows.add(tuple(key), Entry(moment, position, value, event_ids), event)
        return [] if fulfilled is None else self._fire(one, fulfilled)

    @staticmethod
    def _aliased(one: _Correlation, position: int, field: str) -> str:
        mapping = one.spec.aliases.get(field)
        return field if mapping is None else mapping.get(one.spec.rules[position], field)

    def _fire(self, one: _Correlation, fulfilled: Fulfilled) -> list[Detection]:
        detection = _detection(one, fulfilled)
        found = [detection] if one.info.reported else []
        moment = _seconds(detection.time)
        if moment is not None:
            me = self._correlations.index(one)
            for upper in self._correlations:
                for position in upper.upper.get(me, ()):
                    found += self._add(upper, position, -1, moment, detection.event, detection)
        return found

    def snapshot(self) -> dict[str, int]:
        """Counters: events without group or time, groups held, events left out (too late, or over the limits)."""
        windows = [one.windows for one in self._correlations]
        return {
            "correlation_ungrouped": self.counters["ungrouped"],
            "correlation_without_time": self.counters["without_time"],
            "correlation_groups": sum(len(one.groups) for one in windows),
            "correlation_dropped": sum(one.dropped for one in windows),
        }

    def state(self) -> bytes:
        states = [
            _RuleState(one.info.id, one.digest(), [_GroupState(key, group) for key, group in one.windows.groups.items()])
            for one in self._correlations
        ]
        return msgspec.msgpack.encode(states)

    def restore(self, state: bytes) -> None:
        """Raises ValueError for bytes that are no state."""
        try:
            states = msgspec.msgpack.decode(state, type=list[_RuleState])
        except msgspec.MsgspecError as error:
            raise ValueError(f"state of the correlations cannot be read: {error}") from error
        known = {(one.info.id, one.digest()): one for one in self._correlations}
        for rule_state in states:
            one = known.get((rule_state.rule, rule_state.digest))
            if one is None:
                continue
            windows = one.windows
            for stored in rule_state.groups:
                windows.groups[stored.key] = stored.group
                if windows.closing:
                    windows.deadline = min(windows.deadline, stored.group.opened + one.spec.seconds)


def _resolved(rules: Sequence[RuleInfo], correlations: list[_Correlation], failures: list[RuleFailure]) -> list[_Correlation]:
    """Correlations whose references all lead to loaded rules; the others become failures (and with them what refers to them)."""
    numbers = _names(rules)
    alive = list(correlations)
    while True:
        upper = _names([one.info for one in alive])
        bad: dict[int, str] = {}
        for position, one in enumerate(alive):
            missing = [name for name in one.spec.rules if name not in numbers and name not in upper]
            if missing:
                bad[position] = f"correlation refers to '{missing[0]}', which is not loaded"
        bad |= {position: "correlation refers to itself" for position in _in_circles(alive, upper) if position not in bad}
        if not bad:
            break
        for position, reason in bad.items():
            info = alive[position].info
            failures.append(RuleFailure(info.file, line_of(info.source_text, 1, ValueError(reason)), reason))
        alive = [one for position, one in enumerate(alive) if position not in bad]
    for one in alive:
        for place, name in enumerate(one.spec.rules):
            if name in numbers:
                one.positions.setdefault(numbers[name], []).append(place)
            else:
                one.upper.setdefault(upper[name], []).append(place)
    return alive


def _names(rules: Sequence[RuleInfo]) -> dict[str, int]:
    names: dict[str, int] = {}
    for number, info in enumerate(rules):
        names.setdefault(info.id, number)
        if info.name:
            names.setdefault(info.name, number)
    return names


def _in_circles(correlations: list[_Correlation], upper: Mapping[str, int]) -> list[int]:
    edges = [[upper[name] for name in one.spec.rules if name in upper] for one in correlations]

    def reaches(start: int) -> bool:
        seen: set[int] = set()
        pending = list(edges[start])
        while pending:
            here = pending.pop()
            if here == start:
                return True
            if here not in seen:
                seen.add(here)
                pending += edges[here]
        return False

    return [position for position in range(len(correlations)) if reaches(position)]


def _condition_value(spec: CorrelationSpec, value_of: Callable[[str], Any]) -> str | None:
    """Text of the condition's field ("" where there is none); None where the event cannot be counted."""
    if not spec.fields:
        return ""
    values = []
    for field in spec.fields:
        texts = texts_of(value_of(field))
        if not texts:
            return None
        values.append("\x1f".join(texts))
    value = "\x1e".join(values)
    if spec.type in NUMERIC:
        number = number_of(value)
        return None if number is None or number in (float("inf"), float("-inf")) else repr(number)
    return value


def _seconds(stamp: Any) -> float | None:
    if not isinstance(stamp, str):
        return None
    try:
        return datetime.fromisoformat(stamp).timestamp()
    except (ValueError, OverflowError):
        return None


def _detection(one: _Correlation, fulfilled: Fulfilled) -> Detection:
    info, spec = one.info, one.spec
    event_ids = list(dict.fromkeys(identity for entry in fulfilled.entries for identity in entry.event_ids if identity))
    group = dict(zip(spec.group_by, fulfilled.key, strict=True))
    measure = f"{fulfilled.measure:g}"
    wanted = f"{spec.op} {spec.count:g} within {spec.seconds:g} s"
    return Detection(
        id=detection_id(info.id, [*event_ids, *fulfilled.key]),
        rule_id=info.id,
        rule_name=info.title,
        level=info.level,
        engine="correlation",
        time=str(fulfilled.last.get("@timestamp", "")),
        event_ids=event_ids[-MAX_EVENT_IDS:],
        event=fulfilled.last,
        tags=list(info.tags),
        matched=[
            *(MatchedField(field, value, "", "group-by") for field, value in group.items()),
            MatchedField(", ".join(spec.fields) or "events", measure, wanted, spec.type),
        ],
        description=info.description,
        author=info.author,
        references=list(info.references),
        falsepositives=list(info.falsepositives),
        rule_file=info.file,
        group=group,
    )
