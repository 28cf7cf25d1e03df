"""The road: spool → normalise → enrich → detect → publish, witness → event store, one batch at a time.

Invariants, in this order (they make a kill at any moment harmless):

1. Records are read from the spool at the position that the store committed last.
2. A record whose ``(stream, offset)`` was committed before is a re-delivery: dropped and counted.
3. What a parser cannot read is quarantined with the reason; nothing else is ever dropped.
4. ``event.id`` depends only on where the record stands (stream and offset, else spool position) and its index within the record.
5. Detections are published before the commit; their ids are deterministic, so publishing twice changes nothing.
6. One store commit holds events, quarantined records, position, stream marks, detector state and counters. Only then is
   the spool released.

For every source: received = stored + quarantined + duplicates (in records), shown on the sources page.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from kernel.detection import Detection
from kernel.errors import ParseError, StoreError
from kernel.event import Event, conform, event_id, timestamp_from_micros
from kernel.record import Parser, RawRecord, decode_record
from kernel.spool import SpoolReader
from kernel.store.contract import Commit, EventStore, Quarantined

log = logging.getLogger("liandun.pipeline")

CONSUMER = "pipeline"
STREAM_MEMORY_SECONDS = 7 * 86_400
MAX_STREAMS = 100_000
RETRY_SECONDS = 1.0
GATHER_SECONDS = 0.5
GATHER_RECORDS = 1_000


class Detector(Protocol):
    """Looks at events in order; may keep state that survives restarts."""

    def process(self, events: Sequence[Event]) -> list[Detection]: ...

    def state(self) -> bytes: ...

    def restore(self, state: bytes) -> None: ...


Witness = Callable[[Sequence[Event]], Callable[[], None] | None]
"""Looks at a batch of finished events, e.g. for an inventory of assets."""

Screen = Callable[[list[Detection], Counter[str]], list[Detection]]
"""Takes the detections that shall not become alerts out of a batch and counts them (kernel.rule_tuning)."""


class StreamMark(msgspec.Struct, array_like=True):
    """Highest committed offset of a stream and when it was last seen (microseconds)."""

    offset: int
    seen: int


class SavedState(msgspec.Struct):
    """What the store keeps for the pipeline between batches."""

    streams: dict[str, StreamMark] = {}
    detectors: dict[str, bytes] = {}  # by class name


class Pipeline:
    """Owns one spool's road into the store.

    parsers    format name → parser (collectors.parsers.PARSERS)
    enrichers  called with each batch's events, change them in place
    detectors  called after enrichment
    publish    stores detections durably and idempotently (operations.alerts)
    screen     lets through what shall be published
    witnesses  called with each batch after detection; the act that one returns (None = nothing to do) is carried out before the
               commit, like ``publish``: it must bear to be repeated
    """

    def __init__(
        self,
        reader: SpoolReader,
        store: EventStore,
        *,
        parsers: Mapping[str, Parser],
        detectors: Sequence[Detector],
        publish: Callable[[Sequence[Detection]], None],
        enrichers: Sequence[Callable[[list[Event]], None]] = (),
        screen: Screen = lambda detections, _counters: detections,
        witnesses: Sequence[Witness] = (),
        max_records: int = 10_000,
    ) -> None:
        self._reader = reader
        self._store = store
        self._parsers = parsers
        self._detectors = list(detectors)
        self._publish = publish
        self._enrichers = list(enrichers)
        self._screen = screen
        self._witnesses = list(witnesses)
        self._max_records = max_records
        self.position, blob = store.consumer(CONSUMER)
        saved = msgspec.msgpack.decode(blob, type=SavedState) if blob else SavedState()
        self._streams = saved.streams
        for detector in self._detectors:
            _restore(detector, saved.detectors.get(type(detector).__name__))
        self.problem = ""
        self.last_commit = 0.0
        self._logged: set[tuple[str, str]] = set()

    def replace_detectors(self, detectors: Sequence[Detector]) -> None:
        """Swap in freshly loaded detectors (rule reload) between two batches; their windows start from the old ones' state."""
        states = self._detector_states()
        for detector in detectors:
            _restore(detector, states.get(type(detector).__name__))
        self._detectors = list(detectors)

    def run(self, stop: threading.Event, *, after_batch: Callable[[], None] = lambda: None) -> None:
        """Process batches until ``stop`` is set. Small batches wait GATHER_SECONDS for company: each commit makes a file."""
        while not stop.is_set():
            if self.step(stop) < GATHER_RECORDS:
                stop.wait(GATHER_SECONDS)
            after_batch()

    def step(self, stop: threading.Event | None = None) -> int:
        """Process one batch; returns the number of records consumed (0: nothing waits)."""
        batch = self._reader.read(self.position, max_records=self._max_records)
        if batch.next_position == self.position:
            return 0
        counters: Counter[str] = Counter()
        if batch.damaged_bytes:
            counters["spool_damaged_bytes"] += batch.damaged_bytes
            log.error("spool: %d damaged bytes skipped before position %d", batch.damaged_bytes, batch.next_position)
        events, quarantined = self._normalise(batch.records, counters)
        for enrich in self._enrichers:
            enrich(events)
        detections = self._screen(self._detect(events, counters), counters)
        if detections:
            counters["detections"] += len(detections)
            self._until_done(lambda: self._publish(detections), "publish detections", stop)
        for witness in self._witnesses:
            self._let_witness(witness, events, counters, stop)
        commit = Commit(
            events=events,
            quarantined=quarantined,
            consumer=CONSUMER,
            position=batch.next_position,
            state=self._saved_state(),
            counters=dict(counters),
        )
        self._until_done(lambda: self._store.commit(commit), "commit to the event store", stop)
        self.position = batch.next_position
        self._reader.release(self.position)
        self.last_commit = time.time()
        return len(batch.records)

    def _normalise(self, records: Sequence[tuple[int, bytes]], counters: Counter[str]) -> tuple[list[Event], list[Quarantined]]:
        events: list[Event] = []
        quarantined: list[Quarantined] = []
        for position, data in records:
            record = decode_record(data)
            counters[f"received.{record.source}"] += 1
            if self._is_redelivery(record):
                counters[f"duplicates.{record.source}"] += 1
                continue
            try:
                parsed = self._parse(record, position, counters)
            except ParseError as error:
                quarantined.append(_quarantine(record, position, str(error)))
                counters[f"quarantined.{record.source}"] += 1
                continue
            events.extend(parsed)
            counters[f"stored.{record.source}"] += 1
            counters["events"] += len(parsed)
        return events, quarantined

    def _is_redelivery(self, record: RawRecord) -> bool:
        if not record.stream:
            return False
        mark = self._streams.get(record.stream)
        if mark is not None and record.offset <= mark.offset:
            return True
        self._streams[record.stream] = StreamMark(record.offset, record.received)
        return False

    def _parse(self, record: RawRecord, position: int, counters: Counter[str]) -> list[Event]:
        parser = self._parsers.get(record.format)
        if parser is None:
            raise ParseError(f"no parser is called {record.format!r}")
        try:
            return identify(record, position, parser(record), counters)
        except ParseError:
            raise
        except Exception as error:  # a parser's own fault must not stop the road: keep the record aside and say so
            self._log_once(f"parser {record.format} failed on a record of {record.source}", error)
            raise ParseError(f"parser {record.format} failed: {type(error).__name__}: {error}") from error

    def _detect(self, events: list[Event], counters: Counter[str]) -> list[Detection]:
        """One event at a time: an event that a detector fails on costs that detector this event and nothing else."""
        detections: list[Detection] = []
        for detector in self._detectors:
            for event in events:
                try:
                    detections.extend(detector.process((event,)))
                except Exception as error:  # the event is kept; the failure is counted and shown
                    name = type(detector).__name__
                    self._log_once(f"detector {name} failed on event {event['event.id']}", error, kind=name)
                    counters[f"detector_errors.{name}"] += 1
        return detections

    def _let_witness(self, witness: Witness, events: list[Event], counters: Counter[str], stop: threading.Event | None) -> None:
        name = type(witness).__name__
        try:
            act = witness(events)
        except Exception as error:  # the events are kept; the failure is counted and shown
            self._log_once(f"witness {name} failed on a batch", error)
            counters[f"witness_errors.{name}"] += 1
            return
        if act is None:
            return
        try:
            self._until_done(act, f"write down what {name} saw", stop)
        except (StoreError, OSError):  # the store is away and the pipeline is to stop: the batch comes again
            raise
        except Exception as error:  # what was seen cannot be written: an inventory that lacks a line must not hold the road
            self._log_once(f"what {name} saw in a batch cannot be written down", error)
            counters[f"witness_errors.{name}"] += 1

    def _log_once(self, text: str, error: Exception, kind: str = "") -> None:
        """A traceback the first time, so that a sender of odd records cannot fill the disk with logs; the counters go on."""
        fault = (kind or text, type(error).__name__)
        if fault not in self._logged:
            self._logged.add(fault)
            log.error("%s (told once)", text, exc_info=error)

    def _saved_state(self) -> bytes:
        if len(self._streams) > MAX_STREAMS:
            keep = sorted(self._streams.items(), key=lambda entry: entry[1].seen)[-MAX_STREAMS // 2 :]
            self._streams = dict(keep)
        # counted from the newest record, not from now: a spool that waited for weeks must find its marks again
        newest = max((mark.seen for mark in self._streams.values()), default=0)
        horizon = newest - STREAM_MEMORY_SECONDS * 1_000_000
        self._streams = {name: mark for name, mark in self._streams.items() if mark.seen >= horizon}
        return msgspec.msgpack.encode(SavedState(streams=self._streams, detectors=self._detector_states()))

    def _detector_states(self) -> dict[str, bytes]:
        return {type(detector).__name__: detector.state() for detector in self._detectors}

    def _until_done(self, act: Callable[[], None], what: str, stop: threading.Event | None) -> None:
        """Try until it works: a full disk or a locked database holds the road, it never loses a batch."""
        while True:
            try:
                act()
            except (StoreError, OSError) as error:
                self.problem = f"cannot {what}: {error}"
                log.error("%s; trying again", self.problem)
                if stop is None or stop.wait(RETRY_SECONDS):
                    raise
                continue
            self.problem = ""
            return


def _restore(detector: Detector, state: bytes | None) -> None:
    """Windows that cannot be read (an older version wrote them) are given up with a word; events must not wait for them."""
    if not state:
        return
    try:
        detector.restore(state)
    except ValueError as error:
        log.warning("%s starts with empty windows: %s", type(detector).__name__, error)


def identify(record: RawRecord, position: int, parsed: list[Event], counters: dict[str, int]) -> list[Event]:
    """Give parsed events their ids, conform them to ECS and note where they came from."""
    for index, event in enumerate(parsed):
        place: tuple[str | int, ...] = (record.stream, record.offset) if record.stream else ("spool", position)
        event["event.id"] = event_id(*place, index) if index else event_id(*place)
        event["liandun.source"] = record.source
        conform(event, record.received, counters)
    return parsed


def _quarantine(record: RawRecord, position: int, reason: str) -> Quarantined:
    place: tuple[str | int, ...] = (record.stream, record.offset) if record.stream else ("spool", position)
    return Quarantined(
        id=event_id(*place),
        time=timestamp_from_micros(record.received),
        source=record.source,
        origin=record.origin,
        reason=reason,
        raw=record.raw,
    )
