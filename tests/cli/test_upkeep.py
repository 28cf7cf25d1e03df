"""The worker's upkeep: one part's failure never stops the other, and both are told."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.roles import upkeep
from cli.roles.upkeep import Upkeep
from kernel.errors import StoreError
from kernel.event import event_id, timestamp_from_micros
from kernel.query import parse_query
from kernel.store.contract import Commit, TimeRange
from kernel.store.lake import Lake


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    lake = Lake.open(tmp_path / "lake", writable=True)
    for n in range(12):  # so many that compaction is due
        lake.commit(Commit([{"@timestamp": timestamp_from_micros(n * 10**6), "event.id": event_id("upkeep", n)}]))
    yield lake
    lake.close()


def test_old_days_are_dropped_though_compaction_cannot_be_done(lake: Lake, caplog: pytest.LogCaptureFixture) -> None:
    young = {"@timestamp": "2199-01-01T00:00:00.000000Z", "event.id": event_id("young")}
    for n in range(20):
        lake.commit(Commit([young | {"event.id": event_id("young", n)}]))
    victim = next(part for part in lake._known().live() if part.first > "2100")
    (lake.root / victim.path).write_bytes(b"")
    keeper = Upkeep(lake, 180)
    keeper.once()
    assert lake.count(parse_query("event.id:*"), TimeRange()) == 19
    assert f"{victim.path} is damaged" in keeper.problem
    assert keeper.problem.startswith("compaction of the event store failed")
    assert any(record.levelno == logging.ERROR and "compaction" in record.message for record in caplog.records)
    keeper.once()
    assert keeper.problem == ""


def test_compaction_goes_on_though_retention_fails_and_is_tried_again(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    keeper = Upkeep(lake, 7)  # less than the law asks: refused
    for _ in range(2):
        keeper.once()
        assert "retention of the event store failed: 7 days of retention are refused" in keeper.problem
    assert lake.statistics()["segments"] == 1
    monkeypatch.setattr(keeper, "_days", 180)
    keeper.once()
    assert keeper.problem == ""
    assert lake.statistics()["events"] == 0


def test_it_runs_until_told_to_stop(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "COMPACT_SECONDS", 0.01)
    stop, done = threading.Event(), threading.Event()

    class Store:
        def retain(self, days: int, now: str) -> int:
            raise StoreError("disk full")

        def compact(self, *, everything: bool = False) -> int:
            done.set()
            return 0

    keeper = Upkeep(Store(), 180)  # type: ignore[arg-type]
    thread = threading.Thread(target=keeper.run, args=(stop,))
    thread.start()
    assert done.wait(10)
    stop.set()
    thread.join(10)
    assert not thread.is_alive()
    assert "disk full" in keeper.problem
