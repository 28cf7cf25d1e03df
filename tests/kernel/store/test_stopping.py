"""A question ends soon after the one who asked went away; the store answers the next one."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kernel.config import StoreElasticsearch
from kernel.query import parse_query
from kernel.store.contract import Commit, TimeRange
from kernel.store.elasticsearch.server import Server
from kernel.store.lake import Lake
from kernel.store.lake.asked import Asked
from kernel.store.stopping import SearchEnded, calling, unless

EVER = TimeRange()
COSTLY = "SELECT count(*) FROM {files}, range(3000000) AS a(x), range(300000) AS b(y) WHERE (x * y) % 7 = 3"
"""Runs for many minutes if nobody ends it."""


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake.open(tmp_path, writable=True, demo=True)
    events = [{"@timestamp": "2026-11-23T04:00:00.000000Z", "event.id": f"{n:x}", "destination.port": n} for n in range(50)]
    lake.commit(Commit(events, consumer="test", position=50))
    return lake


def after(seconds: float) -> Callable[[], bool]:
    over = time.monotonic() + seconds
    return lambda: time.monotonic() > over


def test_a_running_statement_of_the_lake_ends(lake: Lake) -> None:
    manifest = lake._known()
    assert manifest is not None
    asked = Asked(list(lake._reader.indexes.parts(manifest.live(EVER), parse_query("").root)))
    began = time.monotonic()
    with unless(after(0.3)), pytest.raises(SearchEnded):
        lake._reader.run(manifest, asked, COSTLY)
    assert time.monotonic() - began < 10
    assert lake.count(parse_query("destination.port:>=40"), EVER) == 10


def test_nothing_is_begun_for_somebody_who_is_gone(lake: Lake) -> None:
    with unless(lambda: True), pytest.raises(SearchEnded):
        lake.search(parse_query("destination.port:1"), EVER)
    with unless(lambda: False):
        assert len(lake.search(parse_query("destination.port:1"), EVER).events) == 1


def test_the_connection_to_elasticsearch_is_given_up() -> None:
    """Elasticsearch cancels a search whose connection closes; here a server that never answers sees it closed."""
    listener = socket.create_server(("127.0.0.1", 0))
    closed = threading.Event()

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            while connection.recv(65536):
                pass
        closed.set()

    threading.Thread(target=serve, daemon=True).start()
    server = Server(StoreElasticsearch(urls=[f"http://127.0.0.1:{listener.getsockname()[1]}"]), master_key=None, patience=60)
    began = time.monotonic()
    with unless(after(0.3)), pytest.raises(SearchEnded):
        server.search({"query": {"match_all": {}}}, "events")
    assert closed.wait(5)
    assert time.monotonic() - began < 10
    server.close()
    listener.close()


def test_nothing_is_called_once_the_question_is_answered() -> None:
    called: list[float] = []
    with unless(lambda: True), calling(lambda: called.append(time.monotonic())):
        time.sleep(0.6)
    left = time.monotonic()
    number = len(called)
    time.sleep(0.5)
    assert number >= 1
    assert len(called) == number
    assert max(called) <= left
    with calling(lambda: called.append(0.0), seconds=30):
        pass
    assert len(called) == number
