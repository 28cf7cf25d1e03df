"""A question ends when its asker cancels it or its time is over; the store answers the next one."""

from __future__ import annotations

import threading
import time

import pytest

from kernel.query import parse_query
from kernel.store.contract import Commit, TimeRange
from kernel.store.interruption import Interrupted, Interruption, interruptible
from kernel.store.lake import Lake

EVER = TimeRange()
COSTLY = "SELECT count(*) FROM {files}, range(3000000) AS a(x), range(300000) AS b(y) WHERE (x * y) % 7 = 3"
"""Runs for many minutes if nobody ends it."""


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    lake = Lake.open(tmp_path_factory.mktemp("lake"), writable=True, demo=True)
    events = [{"@timestamp": "2026-11-23T04:00:00.000000Z", "event.id": f"{n:x}", "destination.port": n} for n in range(50)]
    lake.commit(Commit(events, consumer="test", position=50))
    return lake


def _ask_something_costly(lake: Lake) -> None:
    manifest = lake._known()
    assert manifest is not None
    parts = list(lake._reader.indexes.parts(manifest.live(EVER), parse_query("").root))
    lake._reader.run(manifest, parts, COSTLY, {})


def test_a_cancel_from_another_thread_ends_a_running_statement(lake: Lake) -> None:
    interruption = Interruption(120)
    threading.Timer(0.5, interruption.cancel).start()
    began = time.monotonic()
    with interruptible(interruption), pytest.raises(Interrupted, match="cancelled"):
        _ask_something_costly(lake)
    assert time.monotonic() - began < 5
    assert lake.count(parse_query("destination.port:>=40"), EVER) == 10


def test_the_time_of_the_asker_ends_it_before_the_patience_of_the_store(lake: Lake) -> None:
    began = time.monotonic()
    with interruptible(Interruption(0.5)), pytest.raises(Interrupted, match=r"longer than 0\.5 s"):
        _ask_something_costly(lake)
    assert time.monotonic() - began < 5


def test_what_is_cancelled_asks_nothing_more_and_does_not_touch_others(lake: Lake) -> None:
    interruption = Interruption(60)
    with interruptible(interruption):
        assert lake.count(parse_query("destination.port:1"), EVER) == 1
        assert interruption.looked > 0
        interruption.cancel()
        with pytest.raises(Interrupted):
            lake.count(parse_query("destination.port:1"), EVER)
    assert lake.count(parse_query("destination.port:1"), EVER) == 1


def test_a_cancel_calls_what_stops_the_engine_once_and_only_while_it_works() -> None:
    interruption, stopped = Interruption(60), []
    with interruption.stopping(lambda: stopped.append("early")):
        pass
    with interruption.stopping(lambda: stopped.append("now")):
        interruption.cancel()
    with pytest.raises(Interrupted), interruption.stopping(lambda: stopped.append("late")):
        pass
    assert stopped == ["now"]
