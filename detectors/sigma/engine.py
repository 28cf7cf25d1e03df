"""The Sigma engine: rules in, detections out.

>>> engine = SigmaEngine.load([Path("rules/sigma")])
>>> [detection.rule_name for detection in engine.match(event)]          # one event, rules without memory
>>> engine.process(events)                                              # events in order of arrival, correlations included

How it is fast (docs/detection-accuracy.md has the figures): the rules are folded once for each class of events (:mod:`bind`),
turned into rows (:mod:`rows`) whose parts each look at one field, and the answer for each distinct value of a field is kept
(:mod:`table`). An event then costs one look-up for each field and an AND of integers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from detectors.sigma import automata
from detectors.sigma.artifacts import Artifacts
from detectors.sigma.ast import Node, both
from detectors.sigma.bind import bind_whole
from detectors.sigma.correlation import Correlator
from detectors.sigma.event_fields import class_of, reader
from detectors.sigma.explain import explain
from detectors.sigma.loader import load_file
from detectors.sigma.logsource import EVENT_CODE, EventClass, LogSource, Route, Routes, load_routes, mappings_digest
from detectors.sigma.plan import Plan
from detectors.sigma.plans import Plans, no_garbage_collection
from detectors.sigma.rule import LoadedRule, RuleFailure, RuleInfo
from detectors.sigma.scanner import LineScanner
from detectors.sigma.source import read_rule_files
from detectors.sigma.table import MISSING
from detectors.sigma.values import texts_of
from kernel.detection import Detection, detection_id
from kernel.event import Event

VERSION = "3"  # part of the cache key: raise it when parsing or the tree changes
KEPT = {"rules": 20, "plan": 4_000, "database": 4_000, "accepted": 4_000}  # blobs in the cache folder, by kind


class _Compiled(msgspec.Struct):
    rules: list[LoadedRule]
    failures: list[RuleFailure]


class SigmaEngine:
    """Loaded rules and their plans. ``counters``: what was seen and done, see :meth:`snapshot`."""

    def __init__(
        self, loaded: list[LoadedRule], failures: list[RuleFailure], artifacts: Artifacts, routes: Routes, key: str = ""
    ) -> None:
        self.failures = list(failures)
        self.counters: dict[str, int] = {"events": 0, "events_without_rules": 0, "detections": 0}
        self.matches: dict[str, int] = {}
        self._artifacts = artifacts
        detections = [rule for rule in loaded if rule.tree is not None]
        _apply_filters(detections, [rule for rule in loaded if rule.filter is not None])
        self.rules: list[RuleInfo] = [rule.info for rule in loaded]
        self._infos = [rule.info for rule in detections]
        self._trees = [rule.tree for rule in detections if rule.tree is not None]
        self._routes = [routes.of(info.logsource) for info in self._infos]
        self._plans = Plans(self._trees, self._routes, artifacts, key)
        correlations = [(rule.info, rule.correlation) for rule in loaded if rule.correlation is not None]
        self._correlator = Correlator(self._infos, correlations, self.failures, self._field_value)
        unresolved = {id(info) for info, _ in correlations} - self._correlator.working()
        self.rules = [info for info in self.rules if id(info) not in unresolved]
        self.counters["rules"] = len(self.rules)
        self.counters["failures"] = len(self.failures)
        self.counters["rules_without_route"] = sum(not info.routed for info in self._infos)

    @classmethod
    def load(
        cls,
        paths: Sequence[Path],
        *,
        cache_dir: Path | None = None,
        placeholders: Mapping[str, list[str]] | None = None,
    ) -> SigmaEngine:
        """Load rules from files, folders and archives (.tar.gz, .zip).

        cache_dir     folder for compiled rules (made with mode 0700); without it every start compiles anew
        placeholders  values of ``%name%`` for the ``expand`` modifier

        Never raises for a bad rule: see ``failures``. Raises ConfigError where the mapping tables are wrong.
        """
        artifacts = Artifacts(cache_dir)
        routes = load_routes()
        values = dict(placeholders or {})
        files = list(read_rule_files(paths))
        key = artifacts.key(
            "rules",
            VERSION,
            mappings_digest(),
            automata.version(),
            msgspec.json.encode(values, order="sorted"),
            *(part for file in files for part in (file.name, file.content, file.problem)),
        )
        compiled = _decode(artifacts.read(key))
        if compiled is None:
            compiled = _Compiled([], [])
            with no_garbage_collection():
                for file in files:
                    loaded, failures = load_file(file, values, routes)
                    compiled.rules += loaded
                    compiled.failures += failures
            artifacts.write(key, msgspec.msgpack.encode(compiled))
            artifacts.trim(KEPT)
        return cls(compiled.rules, compiled.failures, artifacts, routes, key)

    @property
    def correlates(self) -> bool:
        """Whether there are rules with memory."""
        return self._correlator.active

    @property
    def detection_rules(self) -> list[tuple[Node, list[Route]]]:
        """Tree and routes of each rule that looks at single events, by the numbers of :meth:`match_rules`."""
        return list(zip(self._trees, self._routes, strict=True))

    def plan_for(self, kind: EventClass) -> Plan | None:
        """Plan of a class of events, None where no rule is about it."""
        return self._plans.of(kind)

    # --- matching ---------------------------------------------------------------------------------------------------------

    def match_rules(self, event: Event) -> list[int]:
        """Numbers of the detection rules that fire on an event."""
        self.counters["events"] += 1
        plan = self.plan_for(class_of(event))
        if plan is None:
            self.counters["events_without_rules"] += 1
            return []
        return plan.match(lambda field: reader(field)(event))

    def match(self, event: Event) -> list[Detection]:
        """Detections of one event by the rules without memory (those that only feed a correlation are left out)."""
        return [self._detection(number, event) for number in self.match_rules(event) if self._infos[number].reported]

    def process(self, events: Sequence[Event]) -> list[Detection]:
        """Detections of events in order of arrival, correlations included; keeps the correlations' windows."""
        found: list[Detection] = []
        for event in events:
            numbers = self.match_rules(event)
            found += [self._detection(number, event) for number in numbers if self._infos[number].reported]
            if self._correlator.active:
                found += self._correlator.feed(numbers, event)
        return found

    def _field_value(self, number: int, field: str, event: Event) -> Any:
        """Value of a field as rule ``number`` names it, None where the event has none."""
        kind = class_of(event)
        for route in self._routes[number]:
            if route.covers(kind):
                value = reader(route.bind(field))(event)
                if value is not MISSING:
                    return value
        return event.get(field)

    def _detection(self, number: int, event: Event) -> Detection:
        info = self._infos[number]
        self.counters["detections"] += 1
        self.matches[info.id] = self.matches.get(info.id, 0) + 1
        kind = class_of(event)
        whole = bind_whole(self._trees[number], self._routes[number], kind)

        def fetch(field: str) -> tuple[str, ...] | None:
            if field == EVENT_CODE and kind.event_id >= 0:
                return (str(kind.event_id),)
            value = reader(field)(event)
            return None if value is MISSING else texts_of("" if value is None else value)

        identity = str(event.get("event.id", ""))
        return Detection(
            id=detection_id(info.id, [identity]),
            rule_id=info.id,
            rule_name=info.title,
            level=info.level,
            engine="sigma",
            time=str(event.get("@timestamp", "")),
            event_ids=[identity] if identity else [],
            event=event,
            tags=list(info.tags),
            matched=explain(whole, fetch, event),
            description=info.description,
            author=info.author,
            references=list(info.references),
            falsepositives=list(info.falsepositives),
            rule_file=info.file,
        )

    def info(self, number: int) -> RuleInfo:
        """The rule behind a number of :meth:`match_rules`."""
        return self._infos[number]

    def windows_trees(self) -> list[Node]:
        """Trees of the rules about Windows events."""
        return [tree for tree, routes in zip(self._trees, self._routes, strict=True) if any(route.channel for route in routes)]

    def line_scanner(self) -> LineScanner:
        """The fast path over JSON lines of Windows events."""
        return LineScanner(self, self._artifacts)

    # --- state ------------------------------------------------------------------------------------------------------------

    def state(self) -> bytes:
        """Windows of the correlations, to be given to :meth:`restore` after a restart."""
        return self._correlator.state()

    def restore(self, state: bytes) -> None:
        """Take up windows again; those of rules that are gone or changed are left out. Raises ValueError for damaged state."""
        self._correlator.restore(state)

    def snapshot(self) -> dict[str, int]:
        """Counters with what the tables did: values seen for the first time and rows evaluated."""
        plans = self._plans.in_use()
        return {
            **self.counters,
            "classes": self._plans.classes,
            "plans": len(plans),
            "plans_built": self._plans.built,
            "cache_misses": sum(table.hits_missed for plan in plans for table in plan.tables),
            "cached_values": sum(len(table.cache) for plan in plans for table in plan.tables),
            "candidates": sum(plan.candidates for plan in plans),
            **self._correlator.snapshot(),
        }


def _decode(blob: bytes | None) -> _Compiled | None:
    if blob is None:
        return None
    try:
        return msgspec.msgpack.decode(blob, type=_Compiled)
    except (msgspec.MsgspecError, ValueError):
        return None


def _apply_filters(rules: list[LoadedRule], filters: list[LoadedRule]) -> None:
    """Sigma filters: each narrows the rules it names (or all of its logsource) by its own condition."""
    for one in filters:
        assert one.filter is not None
        for rule in rules:
            info = rule.info
            named = not one.filter.rules or info.id in one.filter.rules or (info.name and info.name in one.filter.rules)
            if named and _within(info.logsource, one.info.logsource) and rule.tree is not None:
                rule.tree = both([rule.tree, one.filter.tree])


def _within(source: LogSource, wanted: LogSource) -> bool:
    pairs = ((source.product, wanted.product), (source.category, wanted.category), (source.service, wanted.service))
    return all(not asked or asked == has for has, asked in pairs)
