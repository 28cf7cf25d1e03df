"""The pipeline over a real spool and a real lake."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest

from kernel.detection import Detection, detection_id
from kernel.errors import ParseError, StoreError
from kernel.event import Event, timestamp_from_micros
from kernel.pipeline import Pipeline
from kernel.query import parse_query
from kernel.record import RawRecord, encode_record
from kernel.spool import SpoolReader, SpoolWriter
from kernel.store.contract import Commit, TimeRange
from kernel.store.lake import Lake

RECEIVED = int(time.time()) * 1_000_000  # now: the pipeline forgets streams that were quiet for seven days
EVERYTHING = TimeRange()


def parse_word(record: RawRecord) -> list[Event]:
    if record.raw == b"bad":
        raise ParseError("not a word")
    if record.raw == b"crash":
        raise ZeroDivisionError("parser bug")
    return [{"message": word, "process.pid": word} for word in record.raw.decode().split()]


class Counting:
    """Fires once for every event, keeps the number of events it has ever seen."""

    def __init__(self) -> None:
        self.seen = 0

    def process(self, events: Sequence[Event]) -> list[Detection]:
        self.seen += len(events)
        return [
            Detection(detection_id("r", [e["event.id"]]), "r", "R", "low", "sigma", e["@timestamp"], [e["event.id"]], e)
            for e in events
        ]

    def state(self) -> bytes:
        return msgspec.msgpack.encode(self.seen)

    def restore(self, state: bytes) -> None:
        self.seen = msgspec.msgpack.decode(state, type=int)


class Road:
    """One spool and one lake in a folder; pipelines come and go on it."""

    def __init__(self, folder: Path) -> None:
        self.writer = SpoolWriter(folder / "spool")
        self.lake = Lake.open(folder / "lake", writable=True)
        self.folder = folder
        self.published: dict[str, Detection] = {}

    def put(self, *words: bytes, stream: str = "", start: int = 0) -> None:
        records = [
            RawRecord("src", "word", RECEIVED + n, "here", word, stream, start + n if stream else -1)
            for n, word in enumerate(words)
        ]
        self.writer.put([encode_record(record) for record in records])

    def pipeline(self, detector: Counting | None = None, **options: object) -> Pipeline:
        return Pipeline(
            SpoolReader(self.folder / "spool"),
            self.lake,
            parsers={"word": parse_word},
            detectors=[detector or Counting()],
            publish=lambda found: self.published.update((d.id, d) for d in found),
            **options,  # type: ignore[arg-type]
        )

    def messages(self) -> list[str]:
        page = self.lake.search(parse_query(""), EVERYTHING, limit=1000, fields=["message"])
        return sorted(event["message"] for event in page.events)


@pytest.fixture
def road(tmp_path: Path) -> Road:
    return Road(tmp_path)


def test_records_become_events_with_ids_and_detections(road: Road) -> None:
    road.put(b"one", b"two three")
    assert road.pipeline().step() == 2
    assert road.messages() == ["one", "three", "two"]
    assert len(road.published) == 3
    counters = road.lake.counters()
    assert counters["received.src"] == counters["stored.src"] == 2
    assert counters["events"] == counters["detections"] == counters["type_mismatch"] == 3
    event = next(iter(road.published.values())).event
    assert event["labels.process_pid"] == event["message"]
    assert "process.pid" not in event


def test_bad_record_and_failing_parser_are_quarantined_the_rest_goes_on(road: Road) -> None:
    road.put(b"one", b"bad", b"crash", b"two")
    road.pipeline().step()
    assert road.messages() == ["one", "two"]
    kept = {entry.raw: entry.reason for entry in road.lake.quarantine()}
    assert kept == {b"bad": "not a word", b"crash": "parser word failed: ZeroDivisionError: parser bug"}
    assert road.lake.counters()["quarantined.src"] == 2


@pytest.mark.parametrize("claimed", ["2026-02-30T00:00:00Z", "2026-11-18T23:59:60Z", "2026-11-18T25:00:00+08:00"])
def test_moment_that_does_not_exist_does_not_stop_the_road(road: Road, claimed: str) -> None:
    record = RawRecord("src", "json", RECEIVED, "here", b"{}")
    road.writer.put([encode_record(record)])
    parse = {"json": lambda record: [{"@timestamp": claimed, "message": "kept"}]}
    Pipeline(SpoolReader(road.folder / "spool"), road.lake, parsers=parse, detectors=[], publish=lambda found: None).step()
    event = road.lake.search(parse_query(""), EVERYTHING, fields=["*"]).events[0]
    assert event["@timestamp"] == timestamp_from_micros(RECEIVED)
    assert event["labels.claimed_timestamp"] == claimed
    assert event["tags"] == ["clock-suspect"]
    assert road.lake.counters()["clock_suspect"] == 1


@pytest.mark.parametrize("claimed", ["2001-01-01T00:00:00.000000Z", "9999-12-31T00:00:00.000000Z"])
def test_a_sender_does_not_say_when_its_record_arrived(road: Road, claimed: str) -> None:
    """Retention goes by it: such a record would be dropped at once, or never."""
    road.writer.put([encode_record(RawRecord("src", "json", RECEIVED, "here", b"{}"))])
    parse = {"json": lambda record: [{"@timestamp": "2001-01-01T00:00:00.000000Z", "event.ingested": claimed}]}
    Pipeline(SpoolReader(road.folder / "spool"), road.lake, parsers=parse, detectors=[], publish=lambda found: None).step()
    event = road.lake.search(parse_query(""), EVERYTHING, fields=["*"]).events[0]
    assert event["event.ingested"] == timestamp_from_micros(RECEIVED)
    assert event["labels.claimed_ingested"] == claimed


def test_unknown_format_is_quarantined(road: Road) -> None:
    road.writer.put([encode_record(RawRecord("src", "martian", RECEIVED, "here", b"x"))])
    road.pipeline().step()
    assert road.lake.quarantine()[0].reason == "no parser is called 'martian'"


def test_redelivered_stream_records_are_dropped_and_counted(road: Road) -> None:
    road.put(b"a", b"b", b"c", stream="file:1")
    road.pipeline().step()
    road.put(b"b", b"c", b"d", stream="file:1", start=1)
    road.pipeline().step()  # a new pipeline: the marks come from the store
    assert road.messages() == ["a", "b", "c", "d"]
    assert road.lake.counters()["duplicates.src"] == 2


def test_equal_lines_stay_two_events(road: Road) -> None:
    road.put(b"same", b"same")
    road.pipeline().step()
    assert road.messages() == ["same", "same"]


def test_crash_between_publish_and_commit_changes_nothing(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    road.put(b"one", b"two", stream="file:1")
    crashing = road.pipeline()

    def power_cut(batch: Commit) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(road.lake, "commit", power_cut)
    with pytest.raises(KeyboardInterrupt):
        crashing.step()
    monkeypatch.undo()
    published = dict(road.published)
    detector = Counting()
    road.pipeline(detector).step()
    assert road.messages() == ["one", "two"]
    assert road.published.keys() == published.keys()
    assert detector.seen == 2


def test_detector_state_survives(road: Road) -> None:
    road.put(b"one", b"two")
    road.pipeline().step()
    road.put(b"three")
    detector = Counting()
    road.pipeline(detector).step()
    assert detector.seen == 3


def test_failing_store_holds_the_batch_until_it_works(road: Road, monkeypatch: pytest.MonkeyPatch) -> None:
    road.put(b"one")
    pipeline = road.pipeline()
    real, failures = road.lake.commit, []

    def full_once(batch: Commit) -> None:
        if not failures:
            failures.append(pipeline.problem)
            raise StoreError("disk full")
        assert "disk full" in pipeline.problem
        real(batch)

    monkeypatch.setattr("kernel.pipeline.RETRY_SECONDS", 0.01)
    monkeypatch.setattr(road.lake, "commit", full_once)
    assert pipeline.step(threading.Event()) == 1
    assert pipeline.problem == ""
    assert road.messages() == ["one"]


def test_spool_is_released_after_the_commit(road: Road) -> None:
    road.writer.close()
    writer = SpoolWriter(road.folder / "spool", segment_bytes=200)
    for number in range(10):
        writer.put([encode_record(RawRecord("src", "word", RECEIVED, "here", b"word%d" % number))] * 3)
    writer.close()
    assert len(list((road.folder / "spool").glob("*.seg"))) > 3
    pipeline = road.pipeline()
    while pipeline.step():
        pass
    assert len(list((road.folder / "spool").glob("*.seg"))) == 1
    assert len(road.messages()) == 30


class Failing(Counting):
    """Fails on one word."""

    def process(self, events: Sequence[Event]) -> list[Detection]:
        if any(event["message"] == "poison" for event in events):
            raise ZeroDivisionError("detector bug")
        return super().process(events)


def test_an_event_that_a_detector_fails_on_costs_only_itself(road: Road) -> None:
    road.put(b"one", b"poison", b"two")
    road.pipeline(Failing()).step()
    assert road.messages() == ["one", "poison", "two"]
    assert sorted(found.event["message"] for found in road.published.values()) == ["one", "two"]
    assert road.lake.counters()["detector_errors.Failing"] == 1


def test_a_witness_that_cannot_write_is_counted_and_holds_nothing_up(tmp_path: Path) -> None:
    road = Road(tmp_path)
    road.put(b"one", b"two")

    def fail() -> None:
        raise UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed")

    class Witness:
        def __call__(self, _events: Sequence[Event]) -> object:
            return fail

    assert road.pipeline(witnesses=[Witness()]).step() == 2
    assert len(road.lake.search(parse_query("*"), EVERYTHING).events) == 2
    assert road.lake.counters()["witness_errors.Witness"] == 1


def test_detections_that_are_held_back_are_dropped_and_counted_once_though_the_batch_comes_again(road: Road) -> None:
    def screen(found: list[Detection], counters: Counter[str]) -> list[Detection]:
        counters["held_back.7"] += sum(one.event["message"] == "two" for one in found)
        return [one for one in found if one.event["message"] != "two"]

    road.put(b"one two three")
    commit, failed = road.lake.commit, []

    def failing(batch: Commit) -> None:
        if not failed:
            failed.append(batch)
            raise StoreError("the disk is full")
        commit(batch)

    road.lake.commit = failing  # type: ignore[method-assign]
    with pytest.raises(StoreError):
        road.pipeline(screen=screen).step()
    road.pipeline(screen=screen).step()
    assert sorted(one.event["message"] for one in road.published.values()) == ["one", "three"]
    assert road.messages() == ["one", "three", "two"], "the event is stored like any other"
    assert road.lake.counters()["held_back.7"] == 1
    assert road.lake.counters()["detections"] == 2
