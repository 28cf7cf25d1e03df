"""By which day the lake keeps an event, in new segments and in those of a program that did not count that."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kernel.event import Event, event_id, timestamp_from_micros
from kernel.query import parse_query
from kernel.store.contract import Commit
from kernel.store.lake import Lake
from kernel.store.lake.ages import AGE_SQL, age_days
from tests.kernel.store.contract_suite import ALWAYS, event

NOW = "2026-11-23T12:00:00.000000Z"
"""180 days before is 2026-05-27."""
TEXT = "2026-11-23T"


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    lake = Lake.open(tmp_path / "lake", writable=True)
    yield lake
    lake.close()


def dated(number: int, time: str, arrival: str) -> Event:
    fields = {"event.id": event_id("dated", number), "@timestamp": f"{time}T00:00:00.000000Z"}
    return event(number % 60, n=number) | fields | {"event.ingested": f"{arrival}T08:00:00.000000Z"}


def numbers(lake: Lake) -> set[int]:
    return {found["n"] for found in lake.search(parse_query("*"), ALWAYS, limit=10_000, fields=["n"]).events}


@settings(max_examples=200, deadline=None)
@given(
    times=st.lists(st.integers(-(10**16), 10**17).map(timestamp_from_micros), min_size=1, max_size=8),
    arrival=st.sampled_from([TEXT + "08:00:00.000000Z", "2026-11-23", TEXT, "٢٠٢٦-11-23T08", "", "x", "\x1f" + TEXT])
    | st.integers(0, 10**17).map(timestamp_from_micros)
    | st.none()
    | st.integers(),
)
@example(times=["0001-01-01T00:00:00.000001Z", "9999-12-31T23:59:59.999999Z"], arrival="0001-01-02T00:00:00.000000Z")
def test_both_definitions_of_an_age_agree(times: list[str], arrival: object) -> None:
    text = arrival if isinstance(arrival, str) else None
    rows = [(time.rstrip("Z"), text) for time in times]
    with duckdb.connect() as connection:
        connection.execute('CREATE TABLE t ("@timestamp" TIMESTAMP, "event.ingested" VARCHAR)')
        connection.executemany("INSERT INTO t VALUES (?, ?)", rows)
        expected = dict(connection.execute(f"SELECT {AGE_SQL}, count(*) FROM t GROUP BY 1").fetchall())
    assert age_days(times, [arrival] * len(times)) == expected
    if arrival is None:
        assert age_days(times, None) == expected


@pytest.mark.parametrize("compacted", [False, True])
@pytest.mark.parametrize("counted", [True, False])
def test_a_segment_of_old_and_young_arrivals_keeps_the_young(lake: Lake, compacted: bool, counted: bool) -> None:
    """``counted`` False: a manifest as the program before it left it."""
    young = [dated(n, "2019-03-01", "2026-11-20") for n in range(3000)]  # enough for a day's own segment
    old = [dated(n, "2019-03-01", "2019-03-01") for n in range(3000, 3500)]
    spread = [dated(3500 + n, f"2026-05-{n + 1:02d}", f"2026-05-{n + 2:02d}") for n in range(28)]  # the last one came on the 29th
    lake.commit(Commit([*young[::2], *old, *spread]))
    lake.commit(Commit([*young[1::2]]))
    if compacted:
        lake.compact(everything=True)
    if not counted:
        with lake._writer().transaction() as db:
            db.execute("UPDATE segments SET ages = '{}'")
    assert lake.retain(180, NOW) == 500 + 25
    assert numbers(lake) == {*range(3000), 3525, 3526, 3527}
    assert lake.retain(180, NOW) == 0
    lake.compact(everything=True)
    assert lake.retain(180, "2026-11-24T12:00:00.000000Z") == 1
    assert numbers(lake) == {*range(3000), 3526, 3527}
    assert lake.verify().sound
    for segment in lake._known().live():
        assert sum(segment.ages.values()) == sum(segment.days.values()) == segment.rows


def test_a_manifest_without_ages_is_brought_up_to_date(tmp_path: Path) -> None:
    lake = Lake.open(tmp_path, writable=True)
    lake.commit(Commit([dated(1, "2019-01-01", "2026-11-20"), dated(2, "2019-01-01", "2019-01-01")]))
    with lake._writer().transaction() as db:
        db.execute("ALTER TABLE segments DROP COLUMN ages")
    lake.close()
    reader = Lake.open(tmp_path, writable=False)
    assert reader.count(parse_query("*"), ALWAYS) == 2
    lake = Lake.open(tmp_path, writable=True)
    assert lake.retain(180, NOW) == 1
    assert numbers(lake) == numbers(reader) == {1}
    assert "retention of 180 days" in orjson.loads(lake._known().chain()[-1].body)["note"]
    reader.close()
    lake.close()
