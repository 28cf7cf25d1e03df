"""What was committed lately is known after a restart, whatever was merged meanwhile."""

from __future__ import annotations

import errno
import random
import shutil
from collections import deque
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kernel.errors import StoreError
from kernel.event import Event, event_id, timestamp_from_micros
from kernel.query import parse_query
from kernel.store.contract import Commit
from kernel.store.lake import Lake, compaction, recent
from kernel.store.lake.recent import RecentIds
from kernel.store.lake.writer import DUPLICATES
from tests.kernel.store.contract_suite import ALWAYS, event

DAY = 86_400 * 10**6


def made(first: int, count: int, days: int = 1) -> list[Event]:
    start = 1_795_000_000_000_000
    return [
        {"event.id": event_id("recent", n), "@timestamp": timestamp_from_micros(start + n % days * DAY + n), "n": n}
        for n in range(first, first + count)
    ]


def total(lake: Lake) -> int:
    return lake.count(parse_query("event.id:*"), ALWAYS)


def again(lake: Lake) -> Lake:
    root = lake.root
    lake.close()
    return Lake.open(root, writable=True)


@pytest.mark.slow
def test_a_commit_made_during_a_merge_is_known_after_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Day segments merged after it have higher numbers and more events than are remembered."""
    lake = Lake.open(tmp_path, writable=True)
    number = 0
    with monkeypatch.context() as patch:  # the hot → day step of four runs
        patch.setattr(compaction, "MERGE_COUNT", 99)
        for _ in range(4 * 12):
            lake.commit(Commit(made(number, 2_600)))
            number += 2_600
            lake.compact()
    late = made(number, 100)
    lake.commit(Commit([dict(e) for e in late]))
    assert lake.compact() == 4  # the day → day step
    lake = again(lake)
    lake.commit(Commit(late))
    assert total(lake) == number + 100
    assert lake.counters() == {DUPLICATES: 100}
    lake.close()


@pytest.mark.parametrize("days", [1, 7, 400])
def test_the_last_commits_are_known_whatever_days_they_were_merged_into(
    tmp_path: Path, days: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recent, "RECENT_IDS", 2_000)
    monkeypatch.setattr(compaction, "DAY_ROWS", 50)
    lake = Lake.open(tmp_path, writable=True)
    chance = random.Random(days)
    last: deque[Event] = deque(maxlen=1_000)
    number = 0
    for _ in range(60):
        batch = made(number, chance.randrange(1, 200), days)
        number += len(batch)
        lake.commit(Commit([dict(e) for e in batch]))
        last.extend(batch)
        if chance.random() < 0.3:
            lake.compact(everything=chance.random() < 0.5)
            lake.purge(grace=0)
        if chance.random() < 0.2:
            lake = again(lake)
            lake.commit(Commit([dict(e) for e in last]))
            assert total(lake) == number
    lake.close()


def test_an_older_store_knows_its_unmerged_commits_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recent, "RECENT_IDS", 2_000)
    lake = Lake.open(tmp_path, writable=True)
    for part in range(12):
        lake.commit(Commit(made(part * 200, 200)))
    lake.commit(Commit(late := made(5_000, 10)))
    keep = lake._known().live()
    lake._damaged.update(part.sequence for part in keep if part.rows == 10)  # as a merge that goes on while it is committed
    lake.compact()
    (tmp_path / recent.FILE).unlink()
    lake = again(lake)
    lake.commit(Commit([dict(e) for e in late]))
    assert lake.counters() == {DUPLICATES: 10}
    lake.close()


def test_a_damaged_file_or_one_of_another_manifest_is_not_believed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Ids that the manifest's events do not have would drop events that are nowhere."""
    lake = Lake.open(tmp_path / "lake", writable=True)
    lake.commit(Commit(made(0, 10)))
    lake.close()
    shutil.copytree(tmp_path / "lake", tmp_path / "backup")
    lake = Lake.open(tmp_path / "lake", writable=True)
    for part in range(1, 4):
        lake.commit(Commit(made(part * 10, 10)))
    lake.compact(everything=True)
    lake.close()
    shutil.copy(tmp_path / "lake" / recent.FILE, tmp_path / "backup" / recent.FILE)
    lake = Lake.open(tmp_path / "backup", writable=True)
    assert "not of this manifest" in caplog.text
    lake.commit(Commit(made(5, 20)))
    assert total(lake) == 25
    lake.close()
    for at in (3, 40, 60):
        content = bytearray((tmp_path / "lake" / recent.FILE).read_bytes())
        content[at] ^= 1
        (tmp_path / "lake" / recent.FILE).write_bytes(content)
        lake = Lake.open(tmp_path / "lake", writable=True)
        lake.commit(Commit(made(39, 1)))  # its segment is merged, but read all the same
        assert total(lake) == 40
        lake.close()
    assert "is damaged" in caplog.text


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(old=st.sets(st.text(st.characters(codec="utf-8"), max_size=40)), young=st.sets(st.integers(0, 2**128 - 1), max_size=20))
def test_all_ids_come_back_from_the_file(tmp_path: Path, old: set[str], young: set[int]) -> None:
    (tmp_path / "tmp").mkdir(exist_ok=True)
    ids = RecentIds()
    ids._old, ids._young = old, {f"{number:032x}" for number in young} | {"A" * 32, "a" * 31}
    ids.save(tmp_path, 7, "ab" * 32)
    loaded = RecentIds()
    assert loaded.load(tmp_path) == (7, "ab" * 32)
    everything = old | ids._young
    assert loaded.known(everything) == everything


def test_a_full_disk_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_room(path: Path, content: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    lake = Lake.open(tmp_path, writable=True)
    for part in range(3):
        lake.commit(Commit([event(part)]))
    lake.compact(everything=True)
    before = (tmp_path / recent.FILE).read_bytes()
    for part in range(3, 6):
        lake.commit(Commit([event(part)]))
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", no_room)
        with pytest.raises(StoreError, match="disk full"):
            lake.compact(everything=True)
    assert (tmp_path / recent.FILE).read_bytes() == before
    lake = again(lake)
    lake.commit(Commit([event(n) for n in range(6)]))
    assert total(lake) == 6
    lake.close()
