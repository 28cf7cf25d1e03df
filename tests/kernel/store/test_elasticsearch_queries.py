"""What a server of typed fields makes hard: refused documents, many names, patterns too complex, long questions, retention."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from kernel.errors import QueryError
from kernel.query import Query, matches, parse_query
from kernel.store.contract import Commit, TimeRange
from kernel.store.elasticsearch import aggregate, fields, reader, regexp
from kernel.store.elasticsearch.store import ElasticsearchStore
from kernel.store.stopping import SearchEnded, unless
from kernel.store.storable import storable
from tests.kernel.store.contract_suite import ALWAYS, event, ids
from tests.kernel.store.elasticsearch_server import a_store


@pytest.fixture
def store(elasticsearch_url: str) -> Iterator[ElasticsearchStore]:
    with a_store([elasticsearch_url]) as store:
        yield store


def test_a_document_that_the_mapping_refuses_is_kept_aside(store: ElasticsearchStore) -> None:
    store.commit(Commit([event(0)]))
    store.server.client.indices.put_mapping(index=store.names.events, dynamic="strict")  # an administrator's idea
    events = [event(1, custom__x="Not a number", user__name="Li", source__port=5), event(2, user__name="Li")]
    store.commit(Commit([dict(e) for e in events]))
    assert store.get(event(1)["event.id"]) == events[0]
    for text in ("custom.x:not*", "user.name:li AND custom.x:*number", "source.port:<6"):
        assert ids(store.search(parse_query(text), ALWAYS).events) == [event(1)["event.id"]], text
    assert [(b.key, b.count) for b in store.top(parse_query("*"), ALWAYS, "user.name")] == [("Li", 2)]


def test_retention_sees_when_a_document_arrived_that_the_mapping_refused(store: ElasticsearchStore) -> None:
    store.commit(Commit([event(0)]))
    store.server.client.indices.put_mapping(index=store.names.events, dynamic="strict")
    old = "2019-01-01T00:00:00.000000Z"
    events = [
        event(n, x__y="z", event__ingested=at) | {"@timestamp": old} for n, at in ((1, "2026-11-23T04:00:00.000000Z"), (2, old))
    ]
    store.commit(Commit([dict(e) for e in events]))
    assert store.retain(180, "2026-11-23T12:00:00.000000Z") == 1
    assert store.get(event(1)["event.id"]) == events[0]
    assert store.get(event(2)["event.id"]) is None


def test_a_mapping_that_refuses_even_the_arrival_does_not_stop_the_road(store: ElasticsearchStore) -> None:
    """An administrator's template above ours."""
    store.compact()  # our templates are there
    parts = [store.names.of("settings"), store.names.of("mappings")]
    mappings = {"properties": {"event.ingested": {"type": "long"}}}
    client = store.server.client
    own = f"{store.names.events}-own"
    client.indices.put_index_template(
        name=own,
        index_patterns=[store.names.events],
        priority=900,
        data_stream={},
        composed_of=parts,
        template={"mappings": mappings},
    )
    try:
        whole = event(1, event__ingested="2026-11-23T04:00:00.000000Z", user__name="Li")
        store.commit(Commit([dict(whole)]))
        assert store.get(whole["event.id"]) == whole
    finally:
        client.indices.delete_index_template(name=own)


def test_names_beyond_what_a_mapping_holds_are_found_too(store: ElasticsearchStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kernel.store.elasticsearch.writer.MOST_DYNAMIC", 20)
    events = [event(n, **{f"custom__n{n}_{i}": f"V{n}" for i in range(10)}) for n in range(5)]
    for e in events:
        store.commit(Commit([dict(e)]))
    properties = store.server.client.indices.get_mapping(index=store._generations.written())
    names = next(iter(properties.values()))["mappings"]["properties"]
    assert len([name for name in names if name.startswith("custom.")]) == 20
    assert {e["event.id"]: e for e in store.search(parse_query("*"), ALWAYS, fields=["*"]).events} == {
        e["event.id"]: e for e in events
    }
    for n in range(5):
        assert ids(store.search(parse_query(f"custom.n{n}_9:v{n}"), ALWAYS).events) == [event(n)["event.id"]]
        assert [(b.key, b.count) for b in store.top(parse_query("*"), ALWAYS, f"custom.n{n}_9")] == [(f"V{n}", 1)]


@pytest.mark.parametrize(
    "text",
    [
        "message:/(a|b)*c(a|b){40}d/",  # an automaton of 2^40 states
        "message:*a??????????????????????b*",
        "message:" + "*".join("abcdefghij" * 8),
        f'message:"{"x" * 5_000}"',
        "message:/" + "(a{0,50}b{0,50}){0,20}" + "/",
    ],
)
def test_patterns_too_complex_for_lucene_are_decided_here(store: ElasticsearchStore, text: str) -> None:
    messages = ["ab" * 30 + "c" + "ab" * 20 + "d", "a" + "-" * 22 + "b", "abcdefghij" * 9, "x" * 5_001, "nothing", ""]
    events = [event(n, message=message) for n, message in enumerate(messages)]
    store.commit(Commit([dict(e) for e in events]))
    query = parse_query(text)
    expected = [e["event.id"] for e in reversed(events) if matches(query, e)]
    assert ids(store.search(query, ALWAYS).events) == expected
    assert store.count(query, ALWAYS) == len(expected)


def test_what_would_have_to_be_read_is_bounded(store: ElasticsearchStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.commit(Commit([event(n, message=f"word{n}") for n in range(30)]))
    monkeypatch.setattr(reader, "MOST_READ", 20)
    inexact = parse_query("message:/\\bword/")
    for ask in (
        lambda: store.count(inexact, ALWAYS),
        lambda: store.histogram(inexact, ALWAYS, interval=60),
        lambda: store.top(inexact, ALWAYS, "message"),
    ):
        with pytest.raises(QueryError, match="30 events would have to be read"):
            ask()
    assert store.count(parse_query("message:/word/"), ALWAYS) == 30
    assert len(store.search(inexact, ALWAYS, limit=5).events) == 5


def test_a_question_that_takes_too_long_is_given_up(store: ElasticsearchStore) -> None:
    for start in range(0, 20_000, 5_000):  # the server looks at its clock five times a second: the question must take longer
        store.commit(
            Commit([event(n % 3600, message="ab" * 500 + str(n)) | {"event.id": f"{n:032x}"} for n in range(start, start + 5_000)])
        )
    heavy = parse_query(" OR ".join(f"message:*b*a*b*a*{n}c*" for n in range(200)))
    store.server.patience = 0.001
    with pytest.raises(QueryError, match="longer than"):
        store.search(heavy, ALWAYS)


def test_a_search_that_nobody_waits_for_ends_on_the_server(store: ElasticsearchStore) -> None:
    """Its connection is closed, and the server has no such task any more, long before it would have answered."""
    for start in range(0, 60_000, 5_000):  # so heavy that its end is told from having been answered
        store.commit(
            Commit([event(n % 3600, message="ab" * 500 + str(n)) | {"event.id": f"{n:032x}"} for n in range(start, start + 5_000)])
        )
    client = store.server.client

    def heavy(sign: str) -> Query:
        return parse_query(" OR ".join(f"message:*b*a*b*a*{n}{sign}*" for n in range(250)))

    def running() -> int:
        tasks = client.tasks.list(actions="indices:data/read/search*")
        return sum(len(node["tasks"]) for node in tasks["nodes"].values())

    began = time.monotonic()
    store.search(heavy("c"), ALWAYS)
    whole = time.monotonic() - began
    began, seen = time.monotonic(), [0]

    def gone() -> bool:
        seen.append(running())
        return max(seen) > 0  # who went away does not come back

    with unless(gone), pytest.raises(SearchEnded):
        store.search(heavy("d"), ALWAYS)
    while running() and time.monotonic() - began < 30:
        time.sleep(0.05)
    ended = time.monotonic() - began
    assert max(seen) > 0
    assert running() == 0
    assert ended < max(whole * 0.8, 1.0), f"whole: {whole:.2f} s"


def test_the_ways_of_saying_an_address_are_one(store: ElasticsearchStore) -> None:
    store.commit(
        Commit([event(1, source__ip="::FFFF:10.0.0.1"), event(2, source__ip="10.0.0.1"), event(3, source__ip="::ffff:a00:1")])
    )
    assert store.count(parse_query("source.ip:10.0.0.1"), ALWAYS) == 3
    assert ids(store.search(parse_query("source.ip:\\:\\:ffff*"), ALWAYS).events) == [event(3)["event.id"], event(1)["event.id"]]
    top = store.top(parse_query("*"), ALWAYS, "source.ip")
    assert {bucket.key for bucket in top} == {"::FFFF:10.0.0.1", "10.0.0.1", "::ffff:a00:1"}


def test_the_most_frequent_of_very_many_values(store: ElasticsearchStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each shard lists some of its values; the ranking is exact all the same, without listing all of them where it can be."""
    monkeypatch.setattr(aggregate, "_SHARD_SIZE", 4)
    monkeypatch.setattr(aggregate, "_SPARE", 1)
    often = {"a": 9, "b": 7, "c": 6, "d": 1}
    half = {"a": 8, "c": 3, "b": 4, "e": 2}
    number = 0
    for counts in (often, half):
        values = [value for value, count in counts.items() for _ in range(count)] + [f"rare{number + n}" for n in range(20)]
        store.commit(Commit([event(n, user__name=value) for n, value in enumerate(values, number)]))
        store.compact(everything=True)  # a backing index for each
        number += len(values)
    assert len(store._generations.all(fresh=True)) > 1

    def top(limit: int) -> list[tuple[object, int]]:
        return [(b.key, b.count) for b in store.top(parse_query("*"), ALWAYS, "user.name", limit=limit)]

    expected = [("a", 17), ("b", 11), ("c", 9)]
    assert top(3) == expected
    monkeypatch.setattr(aggregate, "MOST_VALUES", 5)
    monkeypatch.setattr(aggregate, "_PAGE", 5)
    assert top(3) == expected, "decided without listing all"
    with pytest.raises(QueryError, match="more than 5 different values"):
        top(6)
    monkeypatch.setattr(aggregate, "MOST_VALUES", 100)
    assert top(6) == [*expected, ("e", 2), ("d", 1), ("rare0", 1)]


def test_retention_drops_whole_indices_and_moves_a_day_at_most(store: ElasticsearchStore) -> None:
    old = [event(n) | {"@timestamp": f"2026-01-0{n + 1}T12:00:00.000000Z"} for n in range(3)]
    store.commit(Commit([dict(e) for e in old]))
    store.compact(everything=True)
    mixed = [event(10) | {"@timestamp": "2026-01-02T13:00:00.000000Z"}, event(11) | {"@timestamp": "2026-11-23T00:00:00.000000Z"}]
    store.commit(Commit([dict(e) for e in mixed]))
    assert store.retain(180, "2026-07-01T00:00:00.000000Z") == 1  # 2026-01-02 is 180 days before
    assert store.count(parse_query("*"), ALWAYS) == 4
    assert store.retain(180, "2099-01-01T00:00:00.000000Z") == 2  # the clock jumps: one day is dropped, no more
    assert ids(store.search(parse_query("*"), ALWAYS).events) == [event(11)["event.id"], event(2)["event.id"]]
    assert store.retain(180, "2099-01-01T00:00:00.000000Z") == 1
    assert len(store._generations.all(fresh=True)) == 1  # the first backing index is gone as a whole
    late = event(12) | {"@timestamp": "2026-01-01T00:00:00.000000Z"}
    store.commit(Commit([late]))
    assert store.get(event(12)["event.id"]) == late  # what comes after a run shows until the next one
    assert store.retain(180, "2099-01-01T00:00:00.000000Z") == 1
    assert store.count(parse_query("*"), ALWAYS) == 1


@pytest.mark.parametrize(
    ("pattern", "expression", "exact"),
    [
        ("abc", ".*(abc).*", True),
        ("^a|b$", "((a).*|.*(b))", True),
        ("^$", "()", True),
        ("(^|x)a", ".*((()|x)a).*", False),
        (r"\bexe\b", ".*(()exe()).*", False),
        ("a|", "(.*(a).*|.*().*)", True),
        (r"[^a-c.]\.", r".*([^a-c\.-\.]\.).*", True),
    ],
)
def test_expressions_of_lucene(pattern: str, expression: str, exact: bool) -> None:
    query = parse_query(f"message:/{pattern}/")
    assert regexp.lucene(query.root.predicate.re2) == (expression, exact)  # type: ignore[union-attr]


def test_a_bare_form_comes_back_whole(store: ElasticsearchStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fields, "MOST_DYNAMIC", 0)
    whole = event(1, x=["a", 1], y={"z": 2}, message="m", source__ip="10.0.0.1")
    store.commit(Commit([dict(whole)]))
    assert store.get(whole["event.id"]) == storable(whole)
    assert store.count(parse_query("source.ip:10.0.0.0/8 AND y.z:2 AND x:a"), TimeRange()) == 1


def test_templates_of_another_version_are_replaced_and_the_stream_rolls_over(store: ElasticsearchStore) -> None:
    store.commit(Commit([event(1)]))
    store.settings.shards = 2  # as another version of the templates would differ
    new = ElasticsearchStore(store.settings, writable=True)
    assert new.examine().templates == "other"
    new.commit(Commit([event(1), event(2)]))
    assert new.examine().templates == "current"
    assert len(new._generations.all(fresh=True)) == 2
    assert new.count(parse_query("*"), ALWAYS) == 2
    new.close()
    again = ElasticsearchStore(store.settings, writable=True)
    again.commit(Commit([event(3)]))
    assert len(again._generations.all(fresh=True)) == 2
    again.close()
