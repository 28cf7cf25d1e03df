"""kill -9, lost answers, two writers, rollover, a server that is away: nothing lost, nothing doubled."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from elasticsearch.client import ClusterClient, IndicesClient

from kernel.config import StoreElasticsearch
from kernel.errors import StoreError
from kernel.event import event_id
from kernel.query import parse_query
from kernel.store.contract import Commit, Quarantined
from kernel.store.elasticsearch import state
from kernel.store.elasticsearch.store import ElasticsearchStore
from tests.elasticsearch_node import free_port
from tests.kernel.store.contract_suite import ALWAYS, event, ids
from tests.kernel.store.elasticsearch_server import a_store
from tests.kernel.store.test_crash import start

WRITER = """
import sys
from kernel.config import StoreElasticsearch
from kernel.event import event_id, timestamp_from_micros
from kernel.store.contract import Commit
from kernel.store.elasticsearch.store import ElasticsearchStore
store = ElasticsearchStore(StoreElasticsearch(urls=[sys.argv[1]], namespace=sys.argv[2], replicas=0), writable=True)
position, _ = store.consumer("test")
while True:
    events = [{"@timestamp": timestamp_from_micros(1795000000000000 + n * 977000), "event.id": event_id(n), "n": n,
               "process.name": f"p{n % 7}"} for n in range(position, position + 50)]
    store.commit(Commit(events, consumer="test", position=position + 50, counters={"stored": 50}))
    position += 50
    print(position, flush=True)
    if position % 600 == 0:
        store.compact(everything=True)
"""


@pytest.fixture
def store(elasticsearch_url: str) -> Iterator[ElasticsearchStore]:
    with a_store([elasticsearch_url]) as store:
        yield store


def another(store: ElasticsearchStore, *, writable: bool = True) -> ElasticsearchStore:
    """As another process would open it."""
    return ElasticsearchStore(store.settings, writable=writable)


@pytest.mark.slow
def test_kill_nine_loses_nothing_acknowledged_and_doubles_nothing(store: ElasticsearchStore) -> None:
    chance = random.Random(9)
    acknowledged = 0
    for _ in range(5):
        writer = start(WRITER, store.settings.urls[0], store.settings.namespace)
        assert writer.stdout is not None
        acknowledged = int(writer.stdout.readline() or acknowledged)
        deadline = time.monotonic() + chance.random() * 2
        while time.monotonic() < deadline:
            acknowledged = int(writer.stdout.readline() or acknowledged)
        writer.send_signal(signal.SIGKILL)
        for line in writer.stdout:
            acknowledged = int(line)
        writer.wait()
        writer.stdout.close()
        reader = another(store, writable=False)
        position, _ = reader.consumer("test")
        assert position >= acknowledged
        assert reader.counters() == {"stored": position}
        numbers = [e["n"] for e in reader.search(parse_query("*"), ALWAYS, limit=100_000, fields=["n"]).events]
        assert sorted(numbers) == list(range(position))
        reader.close()


@pytest.mark.slow
def test_readers_see_whole_commits_of_another_process(store: ElasticsearchStore) -> None:
    writer = start(WRITER, store.settings.urls[0], store.settings.namespace)
    assert writer.stdout is not None
    try:
        writer.stdout.readline()
        reader = another(store, writable=False)
        seen, deadline = 0, time.monotonic() + 8
        while time.monotonic() < deadline:
            count = reader.count(parse_query("process.name:p*"), ALWAYS)
            assert count % 50 == 0
            assert count >= seen
            seen = count
        assert seen > 50
        reader.close()
    finally:
        writer.kill()
        writer.wait()
        writer.stdout.close()


def broken_save(monkeypatch: pytest.MonkeyPatch, *, written: bool) -> None:
    """The next state document is lost on its way there, or its answer on the way back."""
    real = state.save

    def save(*arguments: Any) -> None:
        monkeypatch.setattr(state, "save", real)
        if written:
            real(*arguments)
        raise StoreError("the connection broke")

    monkeypatch.setattr(state, "save", save)


BAD = Quarantined("q", event(1)["@timestamp"], "s", "o", "broken", b"\xff")


def test_a_commit_that_did_not_finish_does_not_show_and_can_be_repeated(
    store: ElasticsearchStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.commit(Commit([event(1)], consumer="c", position=1, counters={"stored": 1}))
    batch = Commit([event(1), event(2), event(3)], [BAD], "c", 3, b"s", {"stored": 3})
    broken_save(monkeypatch, written=False)
    with pytest.raises(StoreError, match="the connection broke"):
        store.commit(batch)
    assert ids(store.search(parse_query("*"), ALWAYS).events) == [event(1)["event.id"]]
    assert store.get(event(2)["event.id"]) is None
    assert store.quarantine() == []
    assert store.consumer("c") == (1, None)
    store.commit(batch)
    assert store.count(parse_query("*"), ALWAYS) == 3
    assert store.quarantine() == [BAD]
    assert store.counters() == {"stored": 4, "store.duplicates": 1}
    assert store.consumer("c") == (3, b"s")


def test_what_a_crash_left_is_removed_when_the_next_batch_is_another(
    store: ElasticsearchStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken_save(monkeypatch, written=False)
    with pytest.raises(StoreError):
        store.commit(Commit([event(n) for n in range(10)], [BAD], "c", 10, counters={"stored": 10}))
    again = another(store)
    again.commit(Commit([event(n) for n in range(4)], consumer="c", position=4, counters={"stored": 4}))
    assert again.count(parse_query("*"), ALWAYS) == 4
    assert again.quarantine() == []
    again.commit(Commit([event(n) for n in range(4, 10)], [BAD], "c", 10, counters={"stored": 6}))
    assert again.count(parse_query("*"), ALWAYS) == 10
    assert again.counters() == {"stored": 10}
    again.close()


def test_a_lost_answer_does_not_make_a_commit_count_twice(store: ElasticsearchStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.commit(Commit([event(0)], consumer="c", position=1, counters={"stored": 1}))
    batch = Commit([event(1)], consumer="c", position=2, counters={"stored": 1})
    broken_save(monkeypatch, written=True)
    with pytest.raises(StoreError):
        store.commit(batch)
    store.commit(batch)  # the pipeline tries again
    assert store.counters() == {"stored": 2}
    assert store.consumer("c") == (2, None)
    store.commit(Commit([event(2)], consumer="c", position=3, counters={"stored": 1}))
    assert store.count(parse_query("*"), ALWAYS) == 3


def test_one_writer(store: ElasticsearchStore) -> None:
    store.commit(Commit([event(1)], counters={"stored": 1}))
    new = another(store)
    new.commit(Commit([event(2)], counters={"stored": 1}))
    for _ in range(2):
        with pytest.raises(StoreError, match="another process writes"):
            store.commit(Commit([event(3)], counters={"stored": 1}))
    new.commit(Commit([event(3)], counters={"stored": 1}))
    assert new.counters() == {"stored": 3}
    assert new.count(parse_query("*"), ALWAYS) == 3
    new.close()
    reader = another(store, writable=False)
    with pytest.raises(StoreError, match="reading only"):
        reader.commit(Commit([event(4)]))
    reader.close()


def test_an_event_delivered_again_after_a_rollover_is_stored_once(store: ElasticsearchStore) -> None:
    store.commit(Commit([event(n) for n in range(5)], counters={"stored": 5}))
    assert store.compact(everything=True) == 1
    store.commit(Commit([event(n) for n in range(3, 8)], counters={"stored": 5}))
    assert store.count(parse_query("*"), ALWAYS) == 8
    assert store.counters()["store.duplicates"] == 2
    store.server.client.indices.rollover(alias=store.names.events)  # an administrator, or ILM, behind our back
    store.commit(Commit([event(n) for n in range(6, 10)], counters={"stored": 4}))
    assert store.count(parse_query("*"), ALWAYS) == 10
    assert store.counters() == {"stored": 14, "store.duplicates": 4}
    assert len(store._generations.all(fresh=True)) == 3
    again = another(store)
    again.commit(Commit([event(0), event(9)]))
    assert again.count(parse_query("*"), ALWAYS) == 10
    again.close()


def test_a_server_that_is_away_is_a_store_error() -> None:
    store = ElasticsearchStore(StoreElasticsearch(urls=[f"http://127.0.0.1:{free_port()}"]), writable=True)
    for act in (
        lambda: store.commit(Commit([event(1)])),
        lambda: store.count(parse_query("*"), ALWAYS),
        lambda: store.consumer("c"),
    ):
        with pytest.raises(StoreError, match="cannot be reached"):
            act()
    store.close()


def test_ids_of_any_kind(store: ElasticsearchStore) -> None:
    odd = ["", "a" * 600, "ä/?#&", "sha256:x", "UPPER", "upper", "x" * 9_000, event_id("x")]
    store.commit(Commit([event(n) | {"event.id": identifier} for n, identifier in enumerate(odd)]))
    assert ids(store.search(parse_query("*"), ALWAYS).events) == odd[::-1]
    for identifier in odd:
        found = store.get(identifier)
        assert found is not None
        assert found["event.id"] == identifier
    pages: list[str] = []
    cursor = ""
    while True:
        page = store.search(parse_query("*"), ALWAYS, limit=3, cursor=cursor)
        pages += ids(page.events)
        if not (cursor := page.cursor):
            break
    assert pages == odd[::-1]


@pytest.mark.parametrize("puts", range(6))
def test_a_writer_killed_between_two_templates_leaves_none_out(
    elasticsearch_url: str, monkeypatch: pytest.MonkeyPatch, puts: int
) -> None:
    """The mark that the templates are current is put last: without it the next writer puts them all."""
    done = 0
    real = {"put_index_template": IndicesClient.put_index_template, "put_component_template": ClusterClient.put_component_template}

    def dying(name: str) -> Callable[..., Any]:
        def put(*called: Any, **named: Any) -> Any:
            nonlocal done
            if done == puts:
                raise KeyboardInterrupt
            done += 1
            return real[name](*called, **named)

        return put

    with a_store([elasticsearch_url]) as store:
        with monkeypatch.context() as patched:
            patched.setattr(IndicesClient, "put_index_template", dying("put_index_template"))
            patched.setattr(ClusterClient, "put_component_template", dying("put_component_template"))
            with pytest.raises(KeyboardInterrupt):
                store.commit(Commit([event(0)], consumer="test", position=1))
        assert done == puts
        assert store.examine().templates != "current"
        next_writer = another(store)
        next_writer.commit(Commit([event(1)], [Quarantined("q", "2026-11-28T00:00:00Z", "src", "here", "why", b"raw")]))
        assert next_writer.examine().templates == "current"
        assert [record.id for record in next_writer.quarantine()] == ["q"]
        next_writer.close()
