"""Runs the test events that stand beside a rule: ``<rule>.yml`` ↔ ``<rule>.test.jsonl``, one case a line.

A case is one record, or a sequence for rules that count::

    {"match": true, "format": "syslog", "raw": "<86>1 2026-…"}
    {"match": false, "event": {"event.dataset": "liandun.auth", "event.action": "login"}}
    {"match": true, "rule": "sshd_bruteforce", "sequence": [{"format": "syslog", "repeat": 10, "every": 20, "raw": "…{n}…"}]}

``raw``     the record as text; an object stands for its JSON text
``format``  the parser that reads ``raw``; an ``event`` needs none
``rule``    name or id of the rule that must (not) fire; without it: any rule of the file
``repeat``, ``every``  in a sequence: how often, and how many seconds apart; ``{n}`` in ``raw`` becomes 0, 1, 2 …

The parsers are handed in (``read``), because detectors know no source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import yaml

from detectors.sigma.engine import SigmaEngine
from kernel.errors import ParseError, RuleError
from kernel.event import Event, conform, event_id, timestamp

Reader = Callable[[str, bytes], list[Event]]
"""Format name and raw bytes → events; raises ParseError."""

START = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
"""When the first record of a sequence happens."""

TEST_ENDING = ".test.jsonl"


class Record(msgspec.Struct, forbid_unknown_fields=True):
    """One record of a case; exactly one of ``raw`` and ``event`` is given."""

    format: str = ""
    raw: str | dict[str, Any] | None = None
    event: dict[str, Any] | None = None
    repeat: int = 1
    every: float = 0.0


class Case(msgspec.Struct, forbid_unknown_fields=True):
    """One line of a test file."""

    match: bool
    rule: str = ""
    note: str = ""
    format: str = ""
    raw: str | dict[str, Any] | None = None
    event: dict[str, Any] | None = None
    sequence: list[Record] = []


class Outcome(msgspec.Struct, frozen=True):
    """Result of one case: ``reason`` is empty when it passed; ``fired`` are the names (or ids) of the rules that fired."""

    rule_file: Path
    line: int
    expected: bool
    fired: tuple[str, ...]
    reason: str = ""

    @property
    def passed(self) -> bool:
        return not self.reason


def rule_files(paths: Sequence[Path]) -> list[Path]:
    """All Sigma rule files below ``paths``, sorted. Raises RuleError for a path that is neither a folder nor a plain file."""
    found: set[Path] = set()
    for path in paths:
        if not path.is_dir() and not path.is_file():
            raise RuleError(f"{path}: neither a folder nor a plain file")
        found.update((one for one in path.rglob("*.yml") if one.is_file()) if path.is_dir() else [path])
    return sorted(found)


def case_file(rule_file: Path) -> Path:
    """Where the test events of a rule file stand."""
    return rule_file.with_name(rule_file.name.removesuffix(".yml").removesuffix(".yaml") + TEST_ENDING)


def run_tests(rule_file: Path, read: Reader) -> list[Outcome]:
    """Outcomes of all cases of one rule file, in order; [] if it has no test file.

    Raises RuleError where the rule cannot be loaded or a line of the test file is wrong (file and line are named).
    """
    test_file = case_file(rule_file)
    if not test_file.is_file():
        return []
    engine = SigmaEngine.load([rule_file])
    if engine.failures:
        raise RuleError("; ".join(str(failure) for failure in engine.failures))
    remembers = any(rule.kind == "correlation" for rule in engine.rules)
    names = _names(rule_file)
    outcomes: list[Outcome] = []
    for line, case in _cases(test_file):
        if remembers and outcomes:
            engine = SigmaEngine.load([rule_file])  # a fresh one: what one case counted must not help the next
        outcomes.append(_run(engine, rule_file, line, case, names, read))
    return outcomes


def _cases(test_file: Path) -> Iterator[tuple[int, Case]]:
    for line, text in enumerate(test_file.read_bytes().splitlines(), 1):
        if not text.strip():
            continue
        try:
            case = msgspec.json.decode(text, type=Case)
        except msgspec.MsgspecError as error:
            raise RuleError(f"{test_file}:{line}: {error}") from error
        if not case.sequence:
            case.sequence = [Record(format=case.format, raw=case.raw, event=case.event)]
        for record in case.sequence:
            if (record.raw is None) == (record.event is None):
                raise RuleError(f"{test_file}:{line}: a record needs either raw or event")
        yield line, case


def _names(rule_file: Path) -> dict[str, str]:
    """Name and id → id, for every rule of the file."""
    names: dict[str, str] = {}
    for document in yaml.safe_load_all(rule_file.read_text("utf-8")):
        if isinstance(document, dict) and "id" in document:
            identity = str(document["id"])
            names[identity] = identity
            names[str(document.get("name") or identity)] = identity
    return names


def _run(engine: SigmaEngine, rule_file: Path, line: int, case: Case, names: dict[str, str], read: Reader) -> Outcome:
    if case.rule and case.rule not in names:
        return Outcome(rule_file, line, case.match, (), f"the file has no rule {case.rule!r}")
    try:
        events = list(_events(rule_file, line, case, read))
    except ParseError as error:
        return Outcome(rule_file, line, case.match, (), f"record not understood: {error}")
    hits = {detection.rule_id for detection in engine.process(events)}
    shown = {identity: name for name, identity in names.items()}
    fired = tuple(sorted(shown.get(hit, hit) for hit in hits))
    happened = names[case.rule] in hits if case.rule else bool(hits)
    if happened == case.match:
        return Outcome(rule_file, line, case.match, fired)
    wanted = case.rule or "a rule of the file"
    reason = f"{wanted} should have fired" if case.match else f"{case.rule or ', '.join(fired)} should have stayed silent"
    return Outcome(rule_file, line, case.match, fired, reason)


def _events(rule_file: Path, line: int, case: Case, read: Reader) -> Iterator[Event]:
    moment = START
    counting = len(case.sequence) > 1 or case.sequence[0].repeat > 1
    for position, record in enumerate(case.sequence):
        for number in range(record.repeat):
            for event in _read(record, number, read):
                if counting:
                    event["@timestamp"] = timestamp(moment)
                conform(event, int(moment.timestamp() * 1_000_000), {})
                event["event.id"] = event_id(rule_file.name, line, position, number)
                yield event
            moment += timedelta(seconds=record.every)
        moment += timedelta(seconds=1)


def _read(record: Record, number: int, read: Reader) -> list[Event]:
    if record.event is not None:
        return [dict(record.event)]
    text = record.raw if isinstance(record.raw, str) else msgspec.json.encode(record.raw).decode()
    return read(record.format, text.replace("{n}", str(number)).encode())
