"""A question ends when the time of who asks is over; the store answers the next one."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from kernel.errors import QueryError
from kernel.query import parse_query
from kernel.store.contract import Commit, TimeRange
from kernel.store.lake import Lake
from kernel.store.lake.asked import Asked
from kernel.store.time_limit import within

EVER = TimeRange()
COSTLY = "SELECT count(*) FROM {files}, range(3000000) AS a(x), range(300000) AS b(y) WHERE (x * y) % 7 = 3"
"""Runs for many minutes if nobody ends it."""


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    lake = Lake.open(tmp_path, writable=True, demo=True)
    events = [{"@timestamp": "2026-11-23T04:00:00.000000Z", "event.id": f"{n:x}", "destination.port": n} for n in range(50)]
    lake.commit(Commit(events, consumer="test", position=50))
    return lake


def test_a_running_statement_ends_and_the_next_question_is_answered(lake: Lake) -> None:
    manifest = lake._known()
    assert manifest is not None
    asked = Asked(list(lake._reader.indexes.parts(manifest.live(EVER), parse_query("").root)))
    began = time.monotonic()
    with within(0.5), pytest.raises(QueryError, match=r"longer than 0\.5 s"):
        lake._reader.run(manifest, asked, COSTLY)
    assert time.monotonic() - began < 10
    assert lake.count(parse_query("destination.port:>=40"), EVER) == 10


def test_questions_share_the_time(lake: Lake) -> None:
    with within(0.3):
        assert lake.count(parse_query("*"), EVER) == 50
        time.sleep(0.4)
        with pytest.raises(QueryError, match=r"longer than 0\.3 s"):
            lake.count(parse_query("destination.port:1"), EVER)
    assert lake.count(parse_query("destination.port:1"), EVER) == 1
