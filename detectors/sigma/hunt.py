"""Sigma rules on what the event store holds already: the engine's own verdict on each event of a span of time.

A rule with memory (correlation) sees the events that its rules match in the order of their times, as if they came now.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import msgspec

from detectors.sigma.artifacts import Artifacts
from detectors.sigma.ast import Const
from detectors.sigma.engine import SigmaEngine
from detectors.sigma.loader import load_file, regexes_of
from detectors.sigma.logsource import load_routes
from detectors.sigma.narrowing import fields_read, narrowed
from detectors.sigma.rule import LoadedRule, RuleFailure
from detectors.sigma.source import MAX_RULE_BYTES, RuleFile
from detectors.sigma.values import texts_of
from kernel.detection import Detection
from kernel.errors import RuleError, StoreError
from kernel.event import Event
from kernel.query import Query
from kernel.store.contract import EventStore, TimeRange
from kernel.store.pages import pages_of

MOST_HELD = 20_000
"""Events that correlations are fed with: they are put in order first."""
MOST_LISTED = 20
MOST_REGEXES = 100
"""In the rules of one text: whoever wrote it once waits for automata of them."""
_MOST_COUNTED = 100_000
_TOLD = ("@timestamp", "event.id", "host.name", "user.name", "source.ip")


class Hunted(msgspec.Struct):
    """What was found.

    matches     detections: an event for each rule, and what correlations made of several
    events      that were looked at: those of the kind that the rules are about, as far as the store could tell
    event_ids   of the earliest matches, at most MOST_LISTED, as are the others: the most frequent first
    """

    matches: int = 0
    events: int = 0
    event_ids: list[str] = []
    hosts: list[str] = []
    users: list[str] = []
    addresses: list[str] = []
    first: str = ""
    last: str = ""


class Hunt:
    """Rules of one text, ready to be looked for."""

    def __init__(self, text: str) -> None:
        """Raises RuleError with line and reason where not every rule of the text can be looked for."""
        content = text.encode("utf-8", "replace")
        if len(content) > MAX_RULE_BYTES:
            raise RuleError(f"the rule has more than {MAX_RULE_BYTES:,} bytes")
        if regexes_of(text) > MOST_REGEXES:
            raise RuleError(f"the rules have more than {MOST_REGEXES:,} regular expressions", "divide them")
        routes = load_routes()
        loaded, failures = load_file(RuleFile("rule", content), {}, routes)
        self._packed, self._routes = msgspec.msgpack.encode(loaded), routes
        engine = self._engine(failures)
        if engine.failures:
            failure = engine.failures[0]
            raise RuleError(f"line {failure.line}: {failure.reason}")
        if not engine.detection_rules:
            raise RuleError("there is no rule that looks at events")
        for rule in loaded:
            if isinstance(rule.tree, Const):
                raise RuleError(f"the condition of {rule.info.title!r} does not depend on the event")
            if not rule.info.routed:
                raise RuleError(f"no events are known here of the logsource {rule.info.logsource}")
        self.titles = [rule.info.title for rule in loaded]
        self.query: Query = narrowed(engine.detection_rules)
        self._fields = fields_read(engine.detection_rules)

    def run(self, store: EventStore, when: TimeRange, go_on: Callable[[], object] = lambda: None) -> Hunted:
        """Look. ``go_on`` is called again and again, and may raise to end it.

        Raises RuleError where too much feeds a correlation, StoreError also where a part of the store cannot be read, QueryError.
        """
        engine, found = self._engine([]), _Tally()
        held: list[Event] = []
        for event in self._events(store, when, engine.correlates, go_on):
            found.hunted.events += 1
            if engine.correlates:
                if engine.match_rules(event):
                    held.append(event)
                    if len(held) > MOST_HELD:
                        raise RuleError(f"more than {MOST_HELD:,} events feed the correlation: take a shorter time")
            else:
                for _ in engine.match_rules(event):
                    found.add(event, (str(event.get("event.id", "")),))
        held.sort(key=lambda event: (str(event.get("@timestamp", "")), str(event.get("event.id", ""))))
        for detection in self._correlated(engine, held):
            go_on()
            found.add(detection.event, detection.event_ids, detection.time)
        return found.told()

    def _engine(self, failures: list[RuleFailure]) -> SigmaEngine:
        """A new one: each hunt begins without memory."""
        loaded = msgspec.msgpack.decode(self._packed, type=list[LoadedRule])
        return SigmaEngine(loaded, failures, Artifacts(), self._routes)

    @staticmethod
    def _correlated(engine: SigmaEngine, events: Sequence[Event]) -> Iterator[Detection]:
        for event in events:
            yield from engine.process([event])

    def _events(self, store: EventStore, when: TimeRange, whole: bool, go_on: Callable[[], object]) -> Iterator[Event]:
        fields = ["*"] if whole or self._fields is None else sorted({*self._fields, *_TOLD})
        damaged: set[str] = set()
        for page in pages_of(store, self.query, when, fields, damaged):
            go_on()
            yield from page
        if damaged:
            raise StoreError(f"{len(damaged)} parts of the event store cannot be read", "run ./liandun store verify")


class _Tally:
    """What was found so far."""

    def __init__(self) -> None:
        self.hunted = Hunted()
        self._earliest: list[tuple[str, str]] = []
        self._counts: dict[str, Counter[str]] = {field: Counter() for field in ("host.name", "user.name", "source.ip")}

    def add(self, event: Event, event_ids: Sequence[str], time: str = "") -> None:
        """One detection, with the event that stands for it."""
        hunted, at = self.hunted, time or str(event.get("@timestamp", ""))
        hunted.matches += 1
        hunted.first = min(hunted.first, at) if hunted.first else at
        hunted.last = max(hunted.last, at)
        self._earliest += [(at, one) for one in event_ids[:MOST_LISTED]]
        if len(self._earliest) > 100 * MOST_LISTED:
            self._cut()
        for field, counts in self._counts.items():
            for text in texts_of(event.get(field)) or ():
                if text in counts or len(counts) < _MOST_COUNTED:
                    counts[text] += 1

    def told(self) -> Hunted:
        """All of it, in order."""
        self._cut()
        hunted = self.hunted
        hunted.event_ids = [one for _, one in self._earliest]
        hunted.hosts, hunted.users, hunted.addresses = (
            [text for text, _ in counts.most_common(MOST_LISTED)] for counts in self._counts.values()
        )
        return hunted

    def _cut(self) -> None:
        self._earliest = sorted(set(self._earliest))[:MOST_LISTED]
