"""One piece of a file through parsers and rules; runs in a worker process."""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO, cast

import msgspec
import orjson

from cli.detect_output import hit_line
from cli.detect_rules import RuleSet
from collectors.files import Span, is_pcap, read_records
from collectors.parsers import PARSERS
from collectors.suricata import SuricataMissing, pcap_records
from detectors import suricata
from detectors.yara import YaraScanError, detection
from detectors.zones import ZoneDetector
from kernel.detection import Detection, level_rank
from kernel.errors import LiandunError, ParseError
from kernel.event import Event, conform, event_id
from kernel.record import RawRecord
from kernel.zones.enrich import enrich
from kernel.zones.table import ZoneTable

BATCH = 2000
SHOWN_PROBLEMS = 20
"""Problems of one file that are told one by one; the rest is only counted."""


class Piece(msgspec.Struct, frozen=True):
    """Work for one worker: a file, or a part of a large one."""

    path: Path
    span: Span


class Outcome(msgspec.Struct):
    """What came of a piece.

    ``hits`` is a file of JSON lines in the order of the records (the caller removes it): detections, or, where correlation rules
    are loaded, the events on which a rule fired, for :func:`correlate`.
    """

    piece: Piece
    hits: Path
    records: int = 0
    problems: list[str] = []
    problem_count: int = 0

    def add_problem(self, text: str) -> None:
        self.problem_count += 1
        if len(self.problems) < SHOWN_PROBLEMS:
            self.problems.append(text)


class Worker:
    """Looks for detections in files with rules that were loaded before; ``zones`` is the plan to judge crossings by, if any."""

    def __init__(self, rules: RuleSet, min_level: str, folder: Path, zones: ZoneTable | None = None) -> None:
        self._rules = rules
        self._zones = zones
        self._zone_detector: ZoneDetector | None = None
        self._least = level_rank(min_level)
        self._folder = folder
        self._now = int(time.time() * 1_000_000)
        self._scanner = rules.sigma.line_scanner() if rules.sigma is not None else None

    def run(self, piece: Piece) -> Outcome:
        """Detections of the piece, written to a file in the work folder. Never raises for what the piece contains."""
        with tempfile.NamedTemporaryFile(dir=self._folder, suffix=".jsonl", delete=False) as hits:
            outcome = Outcome(piece, Path(hits.name))
            if (zones := self._zones) is not None:  # one memory a piece: the outcome does not hang on who runs it
                self._zone_detector = ZoneDetector(lambda: zones)
            gc.disable()  # events are trees without cycles; collecting them costs a tenth of the time
            try:
                self._piece(piece, outcome, cast(BinaryIO, hits))
            except OSError as error:
                outcome.add_problem(f"{piece.path}: {error.strerror or error}")
            except LiandunError as error:
                outcome.add_problem(str(error))
            finally:
                gc.enable()
        return outcome

    def _piece(self, piece: Piece, outcome: Outcome, hits: BinaryIO) -> None:
        if not is_pcap(piece.path):
            self._records(read_records(piece.path, outcome.add_problem, span=piece.span), outcome, hits)
            return
        with tempfile.TemporaryDirectory(prefix="liandun-pcap-") as work:
            self._records(self._capture(piece.path, Path(work), outcome.add_problem), outcome, hits)

    def _capture(self, path: Path, work: Path, report: Callable[[str], None]) -> Iterator[RawRecord]:
        try:
            for record in pcap_records(path, report, rules=self._rules.suricata, workdir=work):
                yield msgspec.structs.replace(record, origin=str(path))
        except (SuricataMissing, ParseError) as error:
            report(f"{path}: {error}")

    def _records(self, records: Iterator[RawRecord], outcome: Outcome, hits: BinaryIO) -> None:
        while batch := list(islice(records, BATCH)):
            outcome.records += len(batch)
            for record in self._worth_parsing(batch):
                for event in self._events(record, outcome):
                    if self._rules.correlates:
                        self._keep(event, record, outcome, hits)
                    else:
                        found = self._sigma(event) + self._other_engines(event, record, outcome)
                        hits.writelines(lines(found, self._least, record.origin, record.offset))

    def _worth_parsing(self, batch: list[RawRecord]) -> Iterable[RawRecord]:
        """Windows records that no rule can hit are left out before they become events (the fast path)."""
        if self._scanner is None or self._zones is not None:
            return batch
        keep = [index for index, record in enumerate(batch) if record.format not in ("evtx", "json")]
        quick = [index for index, record in enumerate(batch) if record.format in ("evtx", "json")]
        others: list[int] = []
        raw = (batch[index].raw for index in quick)
        found = self._scanner.scan(raw, lambda number, _: others.append(number), feeders=self._rules.correlates)
        hit = [number for number, _, _ in found]
        keep.extend(quick[number] for number in (*hit, *others))
        return [batch[index] for index in sorted(keep)]

    def _keep(self, event: Event, record: RawRecord, outcome: Outcome, hits: BinaryIO) -> None:
        """An event on which a rule fires goes to the parent, which sees those of all files in order and correlates them."""
        others = self._other_engines(event, record, outcome)
        if others or (self._rules.sigma is not None and self._rules.sigma.match_rules(event)):
            found = [detection.decode() for detection in lines(others, self._least, record.origin, record.offset)]
            kept = {"file": record.origin, "offset": record.offset, "event": event, "found": found}
            hits.write(orjson.dumps(kept, option=orjson.OPT_APPEND_NEWLINE))

    def _events(self, record: RawRecord, outcome: Outcome) -> list[Event]:
        try:
            events = PARSERS[record.format](record)
        except ParseError as error:
            outcome.add_problem(str(error) if record.origin in error.message else f"{record.origin}, {record.offset}: {error}")
            return []
        for index, event in enumerate(events):
            place = (record.stream, record.offset)
            event["event.id"] = event_id(*place, index) if index else event_id(*place)
            event["log.file.path"] = record.origin
            conform(event, self._now, {})
            if self._zones is not None:
                enrich(event, self._zones)
        return events

    def _sigma(self, event: Event) -> list[Detection]:
        return self._rules.sigma.match(event) if self._rules.sigma is not None else []

    def _other_engines(self, event: Event, record: RawRecord, outcome: Outcome) -> list[Detection]:
        crossings = self._zone_detector.process([event]) if self._zone_detector is not None else []
        return crossings + self._packet_engines(event, record, outcome)

    def _packet_engines(self, event: Event, record: RawRecord, outcome: Outcome) -> list[Detection]:
        if record.format == "eve":
            return suricata.detections(event)
        if record.format == "file-stored" and self._rules.yara is not None:
            try:
                hits = self._rules.yara.scan_file(Path(event["file.path"]), str(event.get("file.name", "")))
            except YaraScanError as error:
                outcome.add_problem(f"{record.origin}: {error}")
                return []
            return [detection(hit, event) for hit in hits]
        return []


def lines(found: list[Detection], least: int, origin: str, offset: int) -> list[bytes]:
    """JSON lines of the detections of one event from level rank ``least`` up, in a fixed order."""
    shown = (detection for detection in found if level_rank(detection.level) >= least)
    return [hit_line(origin, offset, one) for one in sorted(shown, key=lambda one: (one.rule_name, one.rule_id, one.id))]


def correlate(kept: Iterable[bytes], rules: RuleSet, min_level: str) -> Iterator[bytes]:
    """Detections of the events that workers kept, in order, with the memory of the correlation rules."""
    assert rules.sigma is not None
    least = level_rank(min_level)
    for line in kept:
        one = orjson.loads(line)
        yield from lines(rules.sigma.process([one["event"]]), least, one["file"], one["offset"])
        yield from (text.encode() for text in one["found"])
