"""The index of words loses no hit, and where it is sure, each row is one: compared with the matcher, and with plain search."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from kernel.event import Event, timestamp_from_micros
from kernel.query import matches, parse_query
from kernel.query.text import fold
from kernel.query.tree import FREE_TEXT_FIELDS, And
from kernel.store.contract import Commit
from kernel.store.lake import Lake, merge, picks, segment, wordindex
from kernel.store.lake.encode import encode
from kernel.store.lake.leads import lead_of
from kernel.store.lake.source import Part
from kernel.store.lake.wordindex import read_run, run_bytes
from kernel.store.lake.words import literal_of
from kernel.store.storable import storable
from tests.kernel.store.contract_suite import ALWAYS
from tests.kernel.store.test_lake_means_the_matcher import queries

SAID = [
    "Failed password for li.wei from 10.1.2.3 port 22 ssh2",
    "Failed password for invalid user zhang.wei",
    "Accepted publickey for LI.WEI",
    "登录失败：用户 İstanbul，来源 10.0.0.1",
    "登录成功",
    "C:\\Windows\\System32\\cmd.exe /c whoami",
    "Straße ΑΣ failedfailed",
    "1:kXfailedZ0abcd+wei/=",
    "srv-gis-07.lanting.gov.example",
    "svc_backup",
    "zhang.wei",
    "",
    "....",
]
ASKED = [
    "failed",
    "li.wei",
    "wei",
    "failed password",
    "password for",
    "失败",
    "登录",
    "istanbul",
    "windows\\system32",
    "srv-gis-07",
    "gov.example",
    "svc_backup",
    "straße",
    "ασ",
    "10.1.2.3",
    "ssh2",
    "nowhere",
    "....",
]
texts = st.sampled_from(SAID) | st.lists(st.sampled_from(SAID + ASKED), min_size=2, max_size=3).map(" ".join)
events = st.dictionaries(
    st.sampled_from(["message", "event.original", "user.name", "host.name", "process.command_line", "source.ip"]),
    texts | st.lists(texts, min_size=1, max_size=2) | st.integers(0, 9),
    min_size=1,
    max_size=4,
)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segment, "ROW_GROUP", 4)
    monkeypatch.setattr(merge, "RUN_ROWS", 16)
    monkeypatch.setattr(merge, "WORD_ROWS", 1)
    monkeypatch.setattr(wordindex, "RARE", 2)
    monkeypatch.setattr(wordindex, "EVERYWHERE", 2)
    monkeypatch.setattr(wordindex, "BATCH", 3)


def with_place(batch: list[Event]) -> list[Event]:
    return [event | {"event.id": f"{n:032x}", "@timestamp": timestamp_from_micros(n)} for n, event in enumerate(batch)]


def lake_of(batch: list[Event]) -> Lake:
    """In two commits that were compacted into one segment."""
    lake = Lake.open(Path(tempfile.mkdtemp()) / "lake", writable=True)
    middle = len(batch) // 2
    for half in (batch[:middle], batch[middle:]):
        lake.commit(Commit([dict(event) for event in half]))
    lake.compact(everything=True)
    assert lake.statistics()["segments"] == 1
    return lake


def parts_of(lake: Lake, text: str) -> list[Part]:
    manifest = lake._known()
    assert manifest is not None
    return list(lake._reader.indexes.parts(manifest.live(ALWAYS), parse_query(text).root))


phrases = st.sampled_from(ASKED).map(lambda text: '"' + text.replace("\\", "\\\\") + '"')
asked = st.recursive(
    phrases
    | st.builds("{}:{}".format, st.sampled_from(["message", "user.name", "host.name", "source.ip"]), phrases)
    | st.sampled_from(["fail*", "*wei", "user.name:zhang.*", "NOT failed", "message:/fail(ed)+/"]),
    lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from(["AND", "OR", "AND NOT"]), inner),
    max_leaves=4,
)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(batch=st.lists(events, min_size=2, max_size=24), questions=st.lists(asked | queries(), min_size=5, max_size=12))
@example(batch=[{"message": "failed li.wei"}] * 20 + [{"message": "failed xfailedx"}] * 3, questions=["failed AND li.wei"])
@example(batch=[{"message": 5}, {"message": "failed"}] * 6, questions=["failed", "5"])
def test_the_lake_with_words_means_the_matcher(batch: list[Event], questions: list[str]) -> None:
    stored = with_place(batch)
    lake = lake_of(stored)
    for text in questions:
        query = parse_query(text)
        true = {event["event.id"] for event in stored if matches(query, storable(event))}
        found = lake.search(query, ALWAYS, limit=100, fields=["event.id"])
        assert {event["event.id"] for event in found.events} == true, text
        assert lake.count(query, ALWAYS) == len(true), text
        assert sum(bucket.count for bucket in lake.histogram(query, ALWAYS, buckets=3)) == len(true), text
        assert {event["event.id"] for some in lake.scan(query, ALWAYS, fields=["event.id"]) for event in some} == true, text
    lake.close()


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(batch=st.lists(events, min_size=1, max_size=40), piece=st.sampled_from(ASKED) | st.text(max_size=8))
def test_a_piece_is_found_in_its_rows_and_nowhere_else(batch: list[Event], piece: str) -> None:
    literal = literal_of(piece)
    encoded = encode([dict(event) for event in with_place(batch)])
    texts = [encoded.table.column(field).to_pylist() for field in FREE_TEXT_FIELDS]
    groups = [min(4, len(batch) - first) for first in range(0, len(batch), 4)]
    run = read_run(memoryview(run_bytes(encoded.table, groups)))
    for part in literal.pieces:
        true = {row for column in texts for row, text in enumerate(column) if text is not None and part.decode() in fold(text)}
        found = run.find(part)
        if found.rows is None:
            continue
        rows = found.rows.to_pylist()
        assert rows == sorted(set(rows))
        assert set(rows) <= true
        assert {row // 4 for row in true - set(rows)} <= set(found.open_groups)


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lake]:
    """Two hundred log-ins: every third failed, of ten people in turn, and one other word. No word is rare."""
    monkeypatch.setattr(wordindex, "RARE", 1)
    batch = [
        {"message": f"{'Failed' if n % 3 == 0 else 'Accepted'} password for user-{'abcdefghij'[n % 10]}.name", "host.name": "web"}
        for n in range(200)
    ]
    batch[102]["message"] = "prefailedness of user-c.name"
    lake = lake_of(with_place(batch))
    yield lake
    lake.close()


def test_two_words_name_the_rows(many: Lake) -> None:
    (part,) = parts_of(many, "failed AND user-b.name")
    assert (len(part.picked), part.left) == (6, And())
    assert many.count(parse_query("failed AND user-b.name"), ALWAYS) == 6
    (part,) = parts_of(many, "failed AND user-b.name AND host.name:web")
    assert (len(part.picked), part.left) == (6, parse_query("host.name:web").root)
    assert many.count(parse_query("failed AND user-b.name AND host.name:other"), ALWAYS) == 0
    assert many.count(parse_query("ailednes"), ALWAYS) == 1
    assert many.count(parse_query("failed AND user-c.name"), ALWAYS) == 7


def test_of_many_words_the_longest_are_looked_up(many: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picks, "MOST_LEADS", 1)
    (part,) = parts_of(many, "failed AND user-b.name")
    assert part.left == parse_query("failed").root
    assert many.count(parse_query("failed AND user-b.name"), ALWAYS) == 6


def test_of_too_many_rows_whole_row_groups_are_read(many: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picks, "MOST", 5)
    (part,) = parts_of(many, "failed AND user-b.name")
    assert not part.picked
    assert many.count(parse_query("failed AND user-b.name"), ALWAYS) == 6


def test_an_index_of_other_fields_says_nothing(many: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wordindex, "_MADE_OF", b"message")
    assert not any(part.left for part in parts_of(many, "failed AND user-b.name"))
    assert many.count(parse_query("failed AND user-b.name"), ALWAYS) == 6


@pytest.mark.parametrize(
    ("text", "choices", "sure"),
    [
        ("failed", [(b"failed",)], True),
        ('"failed password"', [(b"password", b"failed")], False),
        ("message:failed", [(b"failed",)], False),
        ("event.original:Li.Wei", [(b"li.wei",)], False),
        ("url.original:srv-*-07.lanting.*", [(b"-07.lanting.", b"srv-")], False),
        ("host.name:failed", None, False),
        ("failed OR denied", [(b"failed",), (b"denied",)], True),
        ("failed OR 10.0.0.1", None, False),
        ("NOT failed", None, False),
        ("abc", None, False),
        ("4625", None, False),
        ("process.name:failed", None, False),
        (" OR ".join(f"word{chr(97 + n)}" for n in range(9)), None, False),
        ('"one first second fourth fifteenth"', [(b"fifteenth", b"second", b"fourth", b"first")], False),
        ("message:/failed/", None, False),
    ],
)
def test_leads(text: str, choices: list[tuple[bytes, ...]] | None, sure: bool) -> None:
    lead = lead_of(parse_query(text).root)
    assert (None if lead is None else list(lead.choices)) == choices
    assert lead is None or lead.sure is sure


def test_long_words_are_looked_for_in_the_filters(many: Lake) -> None:
    encoded = encode(with_place([{"message": "y" * 300 + " failed"}] * 8))
    run = read_run(memoryview(run_bytes(encoded.table, [4, 4])))
    assert len(run.find(b"yyyyyyyy").rows) == 0
    assert run.find(b"yyyyyyyy").open_groups == (0, 1)
    assert run.find(b"failed").rows is None  # everywhere


def test_texts_that_are_too_large_get_no_index(monkeypatch: pytest.MonkeyPatch) -> None:
    batch = with_place([{"message": "failed for li.wei"}] * 20 + [{"message": "accepted"}] * 20)
    monkeypatch.setattr(wordindex, "MOST_OCTETS", 100)
    lake = lake_of(batch)
    assert not any(part.picked for part in parts_of(lake, "li.wei"))
    assert lake.count(parse_query("li.wei"), ALWAYS) == 20
    lake.close()
