"""Segments with a skip index, without one, with a damaged one, and of the format before it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from kernel.event import event_id
from kernel.query import parse_query
from kernel.store.contract import Commit
from kernel.store.lake import Lake
from kernel.store.lake.skipindex import IndexDamagedError, read_index
from kernel.store.lake.source import Indexes
from tests.kernel.store.contract_suite import ALWAYS, event, ids

OLD = Path(__file__).parent / "lake_format_1"
"""Sixty events written by the version before zones and skip indexes: three commits, the first two compacted.

Every twentieth's fifth has ``zone.crossing``, ``zone.verdict`` and a list in ``source.asset.id``, which were no columns then.
"""

QUESTIONS = {
    "zone.crossing:*data-platform": 12,
    "zone.crossing:egov-extranet>data-platform AND zone.verdict:DENIED": 12,
    "NOT zone.crossing:*": 48,
    "source.asset.id:asset-5": 3,
    "source.asset.id:second": 12,
    "zone.service:*": 0,
    "comsvcs": 3,
    "comsvks": 0,
    "message:*format": 60,
    "tags:t1": 21,
}


def answers(lake: Lake) -> dict[str, int]:
    return {text: lake.count(parse_query(text), ALWAYS) for text in QUESTIONS}


@pytest.fixture
def old(tmp_path: Path) -> Path:
    shutil.copytree(OLD, tmp_path / "lake")
    return tmp_path / "lake"


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    lake = Lake.open(tmp_path / "new", writable=True)
    yield lake
    lake.close()


def test_a_reader_understands_a_store_of_the_old_format_that_no_writer_has_touched(old: Path) -> None:
    reader = Lake.open(old, writable=False)
    assert answers(reader) == QUESTIONS
    assert reader.verify().sound
    found = reader.search(parse_query("message:/text 45 /"), ALWAYS, fields=["*"]).events
    assert found[0]["zone.crossing"] == "egov-extranet>data-platform"
    assert found[0]["source.asset.id"] == ["asset-5", "second"]
    assert [(b.key, b.count) for b in reader.top(parse_query("*"), ALWAYS, "zone.verdict")] == [("denied", 12)]
    sorted_ = reader.search(parse_query("* | sort zone.crossing"), ALWAYS, limit=12, fields=["zone.crossing"]).events
    assert all("zone.crossing" in hit for hit in sorted_)
    reader.close()


def test_old_and_new_segments_answer_together_and_after_compaction(old: Path) -> None:
    before = Lake.open(old, writable=False)
    whole = {e["event.id"]: e for e in before.search(parse_query("*"), ALWAYS, limit=100, fields=["*"]).events}
    reading = before  # a reader that was there before the store was brought up to date goes on
    lake = Lake.open(old, writable=True)
    assert answers(lake) == QUESTIONS
    new = [
        event(1000 + n, zone__crossing="a>data-platform", zone__verdict="denied", message=f"text {n} in the new format")
        for n in range(40)
    ]
    lake.commit(Commit([dict(e) for e in new], consumer="pipeline", position=4, counters={"stored": 40}))
    whole |= {e["event.id"]: e for e in new}
    for reader in (lake, reading):
        assert reader.count(parse_query("zone.crossing:*data-platform"), ALWAYS) == 52
        assert reader.count(parse_query("message:format"), ALWAYS) == 100
        assert reader.count(parse_query("message:/new format/"), ALWAYS) == 40
        assert [(b.key, b.count) for b in reader.top(parse_query("*"), ALWAYS, "zone.verdict")] == [("denied", 52)]
    for _ in range(2):
        assert {e["event.id"]: e for e in lake.search(parse_query("*"), ALWAYS, limit=200, fields=["*"]).events} == whole
        assert lake.counters() == {"stored": 100}
        assert lake.verify().problems == []
        lake.compact(everything=True)
        lake.purge(grace=0)
    assert lake.statistics()["segments"] == 1
    assert lake.count(parse_query("zone.crossing:*data-platform"), ALWAYS) == 52
    lake.close()
    reading.close()


def numbered(number: int, **fields: object) -> dict[str, object]:
    return event(number % 3000, **fields) | {"event.id": event_id("numbered", number)}


def read_rows(lake: Lake, text: str) -> int:
    return sum(part.rows for part in Indexes(lake.root).parts(lake._known().live(), parse_query(text).root))


@pytest.mark.parametrize("compacted", [False, True])
def test_only_the_row_groups_that_may_have_a_hit_are_read(lake: Lake, compacted: bool) -> None:
    for part in range(2):
        numbers = range(part * 10_000, part * 10_000 + 10_000)
        lake.commit(Commit([numbered(n, message=f"note about {n * 7919}", event__dataset=f"set-{n % 2}") for n in numbers]))
    rare = numbered(40_000, message="the needle Straße", event__dataset="set-1", source__ip="10.9.8.7")
    lake.commit(Commit([rare, numbered(40_001, event__dataset="set-0")]))
    if compacted:
        lake.compact(everything=True)
        assert lake.statistics()["segments"] == 1
    assert read_rows(lake, "*") == 20_002
    assert read_rows(lake, "haystack") == 0
    for text in ("the needle", "STRASSE OR straße", "source.ip:10.9.8.7", "message:/needle stra[sß]/"):
        assert 0 < read_rows(lake, text) <= 8192, text
        assert ids(lake.search(parse_query(text), ALWAYS).events) == [rare["event.id"]]
    assert lake.count(parse_query("haystack"), ALWAYS) == 0
    assert lake.search(parse_query("haystack | sort host.name"), ALWAYS).events == []
    assert lake.top(parse_query("haystack"), ALWAYS, "host.name") == []
    assert {bucket.count for bucket in lake.histogram(parse_query("haystack"), ALWAYS)} == {0}


def test_a_damaged_index_costs_time_not_hits_and_is_named(lake: Lake) -> None:
    lake.commit(Commit([event(n, message=f"text {n}") for n in range(100)]))
    segment = lake._known().live()[0]
    path = lake.root / segment.path
    content = bytearray(path.read_bytes())
    content[segment.index.offset + 40 : segment.index.offset + segment.index.length] = bytes(segment.index.length - 40)
    path.write_bytes(content)
    with pytest.raises(IndexDamagedError, match="checksum"):
        read_index(path, segment.index)
    reader = Lake.open(lake.root, writable=False)
    assert reader.count(parse_query("message:text"), ALWAYS) == 100
    assert reader.count(parse_query("nowhere"), ALWAYS) == 0
    problem = reader.verify().problems[0]
    assert problem.startswith("segment hot/0000000001.parquet was changed")
    reader.close()


def test_a_manifest_of_the_future_is_refused(lake: Lake) -> None:
    with lake._writer().transaction() as db:
        db.execute("UPDATE meta SET value = '3' WHERE key = 'version'")
    reader = Lake.open(lake.root, writable=False)
    with pytest.raises(Exception, match="has format 3, this program knows 1 and 2"):
        reader.count(parse_query("*"), ALWAYS)
