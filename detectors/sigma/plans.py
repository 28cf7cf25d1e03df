"""The plans of an engine: built when a class of events is first met, or read from the compile cache."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase

from detectors.sigma import plan_image
from detectors.sigma.artifacts import Artifacts
from detectors.sigma.ast import Node
from detectors.sigma.bind import bind, event_ids_needed
from detectors.sigma.logsource import EventClass, Route
from detectors.sigma.plan import Plan, is_possible
from detectors.sigma.plan_build import build_plan
from detectors.sigma.plan_image import PlanImage

# an endless stream of invented event numbers must fill neither the memory nor the cache folder
MAX_CLASSES = 4_096  # plans kept
MAX_WRITTEN = 500  # plans that one engine adds to the folder


class Plans:
    """Plans of rules (``trees`` and their ``routes``) by class of events.

    key  stands for all that the plans are made from (rules, mappings, versions); "" where they are not to be kept
    """

    def __init__(self, trees: Sequence[Node], routes: Sequence[Sequence[Route]], artifacts: Artifacts, key: str) -> None:
        self._trees = trees
        self._routes = routes
        self._artifacts = artifacts
        self._key = key
        self._plans: dict[EventClass, Plan | None] = {}
        self._written = 0
        self._event_ids = [event_ids_needed(tree) for tree in trees]
        self._by_channel: dict[str, list[int]] = {}
        self._by_dataset: list[int] = []
        self._patterns: set[str] = set()
        self.classes = 0
        self.built = 0
        for number, ways in enumerate(routes):
            for channel in {route.channel for route in ways if route.channel}:
                self._by_channel.setdefault(channel, []).append(number)
            patterns = {pattern for route in ways for pattern in route.datasets}
            if patterns:
                self._by_dataset.append(number)
                self._patterns |= patterns

    def of(self, kind: EventClass) -> Plan | None:
        """Plan of a class of events, None where no rule is about it."""
        try:
            return self._plans[kind]
        except KeyError:
            pass
        if len(self._plans) >= MAX_CLASSES:
            self._plans.clear()
        same = self._without_dataset(kind)
        if same != kind:
            plan = self._plans[kind] = self.of(same)
            return plan
        with no_garbage_collection():
            plan = self._plans[kind] = self._read_or_build(kind)
        self.classes += 1
        return plan

    def in_use(self) -> list[Plan]:
        """Each plan once."""
        return list({id(plan): plan for plan in self._plans.values() if plan is not None}.values())

    def _without_dataset(self, kind: EventClass) -> EventClass:
        """The class of the same rules that is known by its channel alone, where no rule asks for the dataset."""
        if not kind.channel or any(fnmatchcase(kind.dataset, pattern) for pattern in self._patterns):
            return kind
        return EventClass(kind.channel, kind.event_id, "")

    def _read_or_build(self, kind: EventClass) -> Plan | None:
        key = self._artifacts.key("plan", plan_image.VERSION, self._key, kind.channel, kind.event_id, kind.dataset)
        blob = self._artifacts.read(key) if self._key else None
        stored = None if blob is None else plan_image.decode(blob)
        if stored is None:
            stored = plan_image.Stored(self._build(kind))
            self.built += 1
            if self._key and self._written < MAX_WRITTEN:
                self._written += 1
                self._artifacts.write(key, plan_image.encode(stored.plan))
        return None if stored.plan is None else Plan(stored.plan, self._artifacts)

    def _build(self, kind: EventClass) -> PlanImage | None:
        rules: list[int] = []
        trees: list[Node] = []
        for number in self._candidates(kind):
            tree = bind(self._trees[number], self._routes[number], kind)
            if is_possible(tree):
                rules.append(number)
                trees.append(tree)
        return build_plan(rules, trees, self._artifacts) if rules else None

    def _candidates(self, kind: EventClass) -> list[int]:
        numbers: set[int] = set()
        if kind.channel or kind.dataset.startswith("windows."):
            for number in self._by_channel.get(kind.channel, []) + self._by_channel.get("*", []):
                needed = self._event_ids[number]
                if needed is None or kind.event_id in needed or kind.event_id < 0:
                    numbers.add(number)
        if kind.dataset:
            numbers.update(self._by_dataset)
        return sorted(numbers)


@contextmanager
def no_garbage_collection() -> Iterator[None]:
    """Building makes hundreds of thousands of objects that all stay; going through them again and again costs a third of it."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
