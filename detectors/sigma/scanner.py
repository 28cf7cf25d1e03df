"""The fast path: JSON lines of Windows events → rules that fire, without building an event for the lines that have no hit.

A line is decoded in two steps: its envelope (channel and number; everything else is skipped), then only the fields that the rules
of that class look at. What does not have the plain form (nested values, UserData, unusual spellings, names with spaces) takes the
slow path through :func:`kernel.windows_event.read_windows_event` and gives the same answer as ``SigmaEngine.match`` would.
Rules on ECS names (``source.ip``) need the whole road: a raw line does not have them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from detectors.sigma.artifacts import Artifacts
from detectors.sigma.keyword_filter import KeywordFilter
from detectors.sigma.line_plan import LinePlan
from detectors.sigma.line_shapes import Probe, Shape, shape_of
from detectors.sigma.logsource import EventClass
from detectors.sigma.rule import RuleInfo
from kernel.windows_event import PLAIN_CHANNELS, read_windows_event, windows_fields

if TYPE_CHECKING:
    from detectors.sigma.engine import SigmaEngine

_SPACED_NAME = re.compile(rb'"[^"\\]{0,64} [^"\\]{0,64}"\s*:')

OnOther: TypeAlias = Callable[[int, bytes], None]


class LineScanner:
    """``counters``: lines, slow (took the slow path), other (no Windows events), unreadable (no JSON), hits (lines with a rule)."""

    def __init__(self, engine: SigmaEngine, artifacts: Artifacts) -> None:
        self._engine = engine
        self._keywords = KeywordFilter(engine.windows_trees(), artifacts)
        self._decode = msgspec.json.Decoder(Probe).decode
        self._plans: dict[tuple[Shape, str, int], LinePlan] = {}
        self._rule_lists: dict[tuple[bool, tuple[int, ...]], list[RuleInfo]] = {}
        self.counters = {"lines": 0, "slow": 0, "other": 0, "unreadable": 0, "hits": 0}

    def scan(
        self, lines: Iterable[bytes], on_other: OnOther | None = None, *, feeders: bool = False
    ) -> Iterator[tuple[int, bytes, list[RuleInfo]]]:
        """(number, line, rules) of each line on which a rule fires.

        on_other  called with each line that is no Windows event (or no JSON): it has to go the usual road
        feeders   give the rules that only feed a correlation too (a correlation needs every event on which one of its rules fires)
        """
        match = self._match
        counters = self.counters
        number = -1
        for number, line in enumerate(lines):
            fired = match(line)
            if fired:
                rules = self._rules(fired, feeders)
                if rules:
                    counters["hits"] += 1
                    yield number, line, rules
            elif fired is None:
                counters["other"] += 1
                if on_other is not None:
                    on_other(number, line)
        counters["lines"] += number + 1

    def _rules(self, fired: list[int], feeders: bool) -> list[RuleInfo]:
        key = (feeders, tuple(fired))
        rules = self._rule_lists.get(key)
        if rules is None:
            if len(self._rule_lists) > 10_000:
                self._rule_lists.clear()
            infos = [self._engine.info(rule) for rule in fired]
            rules = self._rule_lists[key] = [info for info in infos if info.reported or feeders]
        return rules

    def _match(self, line: bytes) -> list[int] | None:
        """Numbers of the rules that fire; None where the line is no Windows event."""
        try:
            probe = self._decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return self._slow(line)
        found = shape_of(probe)
        if found is None:
            return self._slow(line)
        shape, channel, event_id, payload = found
        plan = self._plans.get((shape, channel, event_id))
        if plan is None:
            plan = self._plan(shape, channel, event_id)
        hits = self._keywords.scan(line)
        if plan.slow or (hits and not plan.keywords.isdisjoint(hits)) or (plan.may_have_spaces and _SPACED_NAME.search(line)):
            return self._slow(line)
        try:
            return plan.decide(plan.decode(line if payload is None else payload) if plan.decode else None, line)
        except (msgspec.MsgspecError, RecursionError):
            return self._slow(line)

    def _plan(self, shape: Shape, channel: str, event_id: int) -> LinePlan:
        kind = EventClass(channel.lower(), event_id, "")
        if len(self._plans) > 20_000:
            self._plans.clear()
        plan = self._plans[shape, channel, event_id] = LinePlan(
            self._engine.plan_for(kind), shape, self._keywords, kind.channel not in PLAIN_CHANNELS
        )
        return plan

    def _slow(self, line: bytes) -> list[int] | None:
        self.counters["slow"] += 1
        try:
            decoded: Any = msgspec.json.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            self.counters["unreadable"] += 1
            return None
        event = read_windows_event(decoded) if isinstance(decoded, dict) else None
        return None if event is None else self._engine.match_rules(windows_fields(event))
