"""How much of the demo's ground truth the platform finds: the records in process, through real parsers, zone plan and detectors."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from cli.ruleset import load_ruleset, suricata_rules
from collectors.parsers import PARSERS
from collectors.parsers.clock import Clock
from collectors.suricata import pcap_records
from demo.chains.expected import RULES, Expected
from demo.plan import Planned, Route, Step
from demo.stream import DemoStream
from demo.zone_plan import lanting_plan
from kernel.config import Config, Platform
from kernel.detection import Detection
from kernel.event import SHANGHAI, Event
from kernel.layout import Layout
from kernel.pipeline import identify
from kernel.record import RawRecord
from kernel.zones import ZoneTable
from kernel.zones.enrich import enrich

_FORMATS = {Route.TCP: "syslog", Route.UDP: "syslog", Route.JSON: "json"}


class FalseAlert(msgspec.Struct, frozen=True):
    """A rule that fired on a normal day's record."""

    rule: str
    time: str
    raw: str


class ChainScore(msgspec.Struct):
    """What was found of one kind of attack. ``expected`` and ``found`` count (run, step, rule); ``missed`` names them.

    more  rules that fired on its records without being asked for, with how often
    """

    chain: str
    runs: set[int] = set()
    steps: set[str] = set()
    records: int = 0
    expected: set[tuple[int, str, str]] = set()
    found: set[tuple[int, str, str]] = set()
    more: dict[str, int] = {}

    @property
    def missed(self) -> list[tuple[int, str, str]]:
        return sorted(self.expected - self.found)


class Score(msgspec.Struct):
    """The whole: ``chains`` by name, and what fired where nothing was wrong."""

    chains: dict[str, ChainScore] = {}
    benign: int = 0
    events: int = 0
    false: list[FalseAlert] = []


class Judge:
    """Takes records in order of time and keeps the score. Packets are read where Suricata is installed, else left out."""

    def __init__(self, start: datetime, folder: Path) -> None:
        config = Config(platform=Platform(data_dir=folder))
        self.score = Score()
        self.packets = shutil.which("suricata") is not None
        self._table = ZoneTable(lanting_plan(start))
        self._captures = Layout(config.data_dir).create().suricata
        self._rules = suricata_rules(config)
        self._detectors = load_ruleset(config, lambda: self._table).detectors
        self._owed: dict[tuple[str, int], set[str]] = {}
        self._position = 0

    def take(self, moment: datetime, planned: Planned) -> None:
        """One record of the plan."""
        step = planned.step
        if step is not None:
            self._expect(step, planned)
        else:
            self.score.benign += 1
        for event in self._events(moment, planned):
            self.score.events += 1
            enrich(event, self._table)
            for detector in self._detectors:
                for detection in detector.process((event,)):
                    self._found(detection, step)

    def _expect(self, step: Step, planned: Planned) -> None:
        chain = self.score.chains.setdefault(step.chain, ChainScore(step.chain))
        chain.runs.add(step.run)
        chain.steps.add(step.name)
        chain.records += 1
        for name in planned.expects:
            if self.packets or RULES[name].needs != "suricata":
                chain.expected.add((step.run, step.name, name))

    def _found(self, detection: Detection, step: Step | None) -> None:
        if step is None:
            self.score.false.append(FalseAlert(detection.rule_name, detection.time, str(detection.event.get("event.original"))))
            return
        chain = self.score.chains[step.chain]
        names = _names(detection.rule_id)
        hit = {key for key in chain.expected if key[0] == step.run and key[2] in names and _fits(RULES[key[2]], key[1], step)}
        chain.found |= hit
        if not names:
            chain.more[detection.rule_name] = chain.more.get(detection.rule_name, 0) + 1
        self._owed.setdefault((step.chain, step.run), set()).update(name for name in names if RULES[name].counts)

    def settle(self) -> Score:
        """The score. A rule that counts is found wherever in the attack it fired."""
        for chain in self.score.chains.values():
            for run, step, name in chain.expected - chain.found:
                if name in self._owed.get((chain.chain, run), ()):
                    chain.found.add((run, step, name))
        return self.score

    def _events(self, moment: datetime, planned: Planned) -> Iterator[Event]:
        raw = planned.build(moment)
        micros = int(moment.timestamp() * 1_000_000)
        if planned.route is Route.PCAP:
            records = self._packets(raw) if self.packets else iter(())
        else:
            records = iter([RawRecord("demo", _FORMATS[planned.route], micros, "demo", raw)])
        for record in records:
            self._position += 1
            parsed = PARSERS[record.format](record)
            yield from identify(record, self._position, parsed, {})

    def _packets(self, raw: bytes) -> Iterator[RawRecord]:
        work = self._captures / f"capture-{self._position}"
        work.mkdir()
        path = work / "mirror.pcap"
        path.write_bytes(raw)
        for record in pcap_records(path, lambda line: None, rules=self._rules, workdir=work):
            yield msgspec.structs.replace(record, source="demo-packets")
        shutil.rmtree(work)


def judge(records: Iterable[tuple[datetime, Planned]], start: datetime) -> Score:
    """The score of records in order of time; ``start`` is when conduits that end are reckoned from."""
    zone = Clock.zone
    Clock.zone = SHANGHAI  # the city's devices write its time
    try:
        with tempfile.TemporaryDirectory(prefix="liandun-score-") as folder:
            taker = Judge(start, Path(folder))
            for moment, planned in records:
                taker.take(moment, planned)
            return taker.settle()
    finally:
        Clock.zone = zone


WORKING_DAY = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
"""A Monday, ten in the morning in Lanting: the busiest hour. The judged attacks begin then, the normal days end with it."""


def judge_demo(seed: int, chains: Sequence[str], days: int, start: datetime = WORKING_DAY) -> Score:
    """The score of ``days`` normal days before ``start`` and then of every attack amid the full traffic of that hour."""
    stream = DemoStream(seed, chains)
    past = ((record.moment, record.planned) for record in stream.benign_days(start, days)) if days else ()
    live = ((start + timedelta(seconds=planned.after), planned) for planned in stream.once(start))
    return judge(itertools.chain(past, live), start)


def score_table(score: Score) -> list[str]:
    """The score as lines of Markdown."""
    lines = [
        "| attack | steps | records | rules that must fire | found | missed | further rules |",
        "|---|---|---|---|---|---|---|",
    ]
    for chain in score.chains.values():
        more = ", ".join(f"{name} ({count})" for name, count in sorted(chain.more.items())) or "–"
        figures = (len(chain.steps), chain.records, len(chain.expected), len(chain.found), len(chain.missed))
        lines.append(f"| {chain.chain} | {' | '.join(map(str, figures))} | {more} |")
    lines += ["", f"{score.events} events, {score.benign} benign records: {len(score.false)} false alerts"]
    lines += [
        f"missed: {chain.chain} run {run}, {step}: {name}" for chain in score.chains.values() for run, step, name in chain.missed
    ]
    lines += [f"false: {one.rule} at {one.time}: {one.raw[:200]}" for one in score.false]
    return lines


def _names(rule_id: str) -> list[str]:
    return [name for name, rule in RULES.items() if rule.id == rule_id]


def _fits(rule: Expected, expected_step: str, step: Step) -> bool:
    return rule.counts or expected_step == step.name
