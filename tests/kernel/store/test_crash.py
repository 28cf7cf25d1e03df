"""kill -9, readers in other processes, a full disk, damaged files."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kernel.errors import StoreError
from kernel.query import parse_query
from kernel.store.contract import Commit
from kernel.store.lake import Lake
from tests.kernel.store.contract_suite import ALWAYS, event, ids

ROOT = Path(__file__).resolve().parents[3]

WRITER = """
import sys
from pathlib import Path
from kernel.event import event_id, timestamp_from_micros
from kernel.store.contract import Commit
from kernel.store.lake import Lake
lake = Lake.open(Path(sys.argv[1]), writable=True)
position, _ = lake.consumer("test")
while True:
    events = [{"@timestamp": timestamp_from_micros(1795000000000000 + n * 977000), "event.id": event_id(n), "n": n,
               "process.name": f"p{n % 7}"} for n in range(position, position + 50)]
    lake.commit(Commit(events, consumer="test", position=position + 50, counters={"stored": 50}))
    position += 50
    print(position, flush=True)
    if position % 400 == 0:
        lake.compact(everything=position % 1600 == 0)
        lake.purge(grace=0.2)
"""


def start(code: str, *arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True, env=environment)


@pytest.mark.slow
def test_kill_nine_loses_nothing_acknowledged_and_doubles_nothing(tmp_path: Path) -> None:
    chance = random.Random(9)
    acknowledged = 0
    for _ in range(8):
        writer = start(WRITER, str(tmp_path / "lake"))
        assert writer.stdout is not None
        deadline = time.monotonic() + 1.0 + chance.random() * 2
        while time.monotonic() < deadline:
            acknowledged = int(writer.stdout.readline() or acknowledged)
        writer.send_signal(signal.SIGKILL)
        for line in writer.stdout:
            acknowledged = int(line)
        writer.wait()
        writer.stdout.close()
        lake = Lake.open(tmp_path / "lake", writable=False)
        position, _ = lake.consumer("test")
        assert position >= acknowledged
        assert lake.counters() == {"stored": position}
        numbers = [e["n"] for e in lake.search(parse_query("*"), ALWAYS, limit=100_000, fields=["n"]).events]
        assert sorted(numbers) == list(range(position))
        verification = lake.verify()
        assert verification.problems == []
        lake.close()
    writer_again = Lake.open(tmp_path / "lake", writable=True)
    known = {segment.path for segment in writer_again._known().live()}
    writer_again.purge(grace=0)
    assert {p.relative_to(writer_again.root).as_posix() for p in writer_again.root.glob("hot/*.parquet")} <= known
    writer_again.close()


def test_readers_in_this_process_see_whole_commits_of_another(tmp_path: Path) -> None:
    writer = start(WRITER, str(tmp_path / "lake"))
    assert writer.stdout is not None
    try:
        writer.stdout.readline()
        reader = Lake.open(tmp_path / "lake", writable=False)
        seen = 0
        for _ in range(25):
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


def test_half_a_file_is_removed_and_an_unknown_one_is_kept_aside_and_named(tmp_path: Path) -> None:
    lake = Lake.open(tmp_path, writable=True)
    lake.commit(Commit([event(1)]))
    orphan = tmp_path / "hot" / "0000000002.parquet"
    shutil.copy(tmp_path / "hot" / "0000000001.parquet", orphan)
    (tmp_path / "hot" / "0000000003.parquet.tmp").write_bytes(b"half")
    lake.close()
    lake = Lake.open(tmp_path, writable=True)
    assert sorted(p.name for p in tmp_path.glob("hot/*")) == ["0000000001.parquet"]
    assert [p.name for p in tmp_path.glob("lost/*")] == ["hot-0000000002.parquet"]
    for n in (2, 7, 8):
        shutil.copy(tmp_path / "hot" / "0000000001.parquet", tmp_path / "hot" / f"000000000{n}.parquet")
    lake.close()
    lake = Lake.open(tmp_path, writable=True)
    names = ["hot-0000000002-2.parquet", "hot-0000000002.parquet", "hot-0000000007.parquet", "hot-0000000008.parquet"]
    found = lake.verify()
    assert (found.lost, found.problems) == ([f"lost/{name}" for name in names], [])
    assert lake.count(parse_query("*"), ALWAYS) == 1
    os.utime(tmp_path / "lost" / names[2], (0, 0))
    lake.retain(180, "2026-11-23T12:00:00.000000Z")
    assert lake.verify().lost == [f"lost/{name}" for name in (*names[:2], names[3])]
    lake.close()


def test_segments_that_an_older_manifest_does_not_know_are_not_deleted(tmp_path: Path) -> None:
    lake = Lake.open(tmp_path / "lake", writable=True)
    lake.commit(Commit([event(1)]))
    lake.close()
    shutil.copytree(tmp_path / "lake", tmp_path / "backup")
    lake = Lake.open(tmp_path / "lake", writable=True)
    lake.commit(Commit([event(2)]))
    lake.close()
    shutil.copy(tmp_path / "backup" / "manifest.sqlite", tmp_path / "lake" / "manifest.sqlite")
    lake = Lake.open(tmp_path / "lake", writable=True)
    assert lake.verify().lost == ["lost/hot-0000000002.parquet"]
    lake.commit(Commit([event(2)]))
    assert lake.count(parse_query("*"), ALWAYS) == 2
    lake.close()


def flip(path: Path, at: float) -> None:
    """Change one bit: at a share of the file's length, or so many bytes before its end."""
    content = bytearray(path.read_bytes())
    content[int(len(content) * at) if at > 0 else int(at)] ^= 0x10
    path.chmod(0o644)
    path.write_bytes(content)


@pytest.mark.parametrize("damage", ["flip", "truncate", "empty", "gone", "footer"])
def test_a_damaged_segment_is_named_and_the_others_stay_searchable(tmp_path: Path, damage: str) -> None:
    lake = Lake.open(tmp_path, writable=True)
    for part in range(3):
        lake.commit(Commit([event(part * 100 + n, message=f"text {n * 7919}", x=n) for n in range(100)]))
    sick = tmp_path / "hot" / "0000000002.parquet"
    if damage == "flip":
        flip(sick, 0.2)
    elif damage == "footer":
        flip(sick, -7)  # the length of the footer
    elif damage == "truncate":
        sick.write_bytes(sick.read_bytes()[:-500])
    elif damage == "empty":
        sick.write_bytes(b"")
    else:
        sick.unlink()
    fresh = Lake.open(tmp_path, writable=False)
    verification = fresh.verify()
    assert not verification.sound
    assert verification.problems[0].startswith("segment hot/0000000002.parquet")
    page = fresh.search(parse_query("message:text"), ALWAYS, limit=1000, fields=["*"])
    if damage != "flip":  # a flipped bit may sit where no reader looks; SM3 finds it anyway
        assert page.damaged == ["hot/0000000002.parquet"]
        assert len(page.events) == 200
        assert fresh.count(parse_query("message:text"), ALWAYS) == 200
        assert "hot/0000000002.parquet" in fresh.statistics()["damaged"]
        with pytest.raises(StoreError, match=r"hot/0000000002\.parquet is damaged"):
            lake.compact(everything=True)
    assert {event(n)["event.id"] for n in (*range(100), *range(200, 300))} <= set(ids(page.events))
    fresh.close()
    lake.close()


def test_compaction_goes_on_around_a_damaged_segment(tmp_path: Path) -> None:
    lake = Lake.open(tmp_path, writable=True)
    for part in range(40):
        lake.commit(Commit([event(part * 10 + n) for n in range(10)]))
    (tmp_path / "hot" / "0000000005.parquet").write_bytes(b"")
    with pytest.raises(StoreError, match=r"hot/0000000005\.parquet is damaged"):
        lake.compact()
    assert lake.statistics()["segments"] == 2
    assert lake.compact() == 0  # said once, then left alone
    assert lake.count(parse_query("event.id:*"), ALWAYS) == 390
    lake.close()


def test_a_swapped_segment_and_a_forged_manifest_are_found(tmp_path: Path) -> None:
    lake = Lake.open(tmp_path, writable=True)
    for n in range(3):
        lake.commit(Commit([event(n)]))
    with lake._writer().transaction() as db:
        db.execute("UPDATE segments SET sm3 = ? WHERE sequence = 2", ("0" * 64,))
    assert "hot/0000000002.parquet: the manifest's digest is not the one in the chain" in lake.verify().problems[0]
    with lake._writer().transaction() as db:
        db.execute("DELETE FROM segments WHERE sequence = 3")
    assert "segment hot/0000000003.parquet was recorded but is gone from the manifest" in lake.verify().problems
    with lake._writer().transaction() as db:
        db.execute("UPDATE chain SET body = replace(body, '\"rows\":1', '\"rows\":2') WHERE position = 1")
    assert "chain entry 1 does not follow" in lake.verify().problems[0]
    lake.close()


def fill(lake: Lake) -> None:
    """Commit what does not compress until something gives."""
    for n in range(1000):
        noise = [event(i, message=random.Random(n * 1000 + i).randbytes(400).hex()) for i in range(50)]
        batch = [e | {"event.id": f"{n:016x}{i:016x}"} for i, e in enumerate(noise)]
        lake.commit(Commit(batch, consumer="c", position=n + 1, counters={"stored": 50}))


def mount(folder: Path, size: str) -> None:
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], check=False, capture_output=True)
    if mounted.returncode:
        pytest.skip(f"cannot mount a tmpfs: {mounted.stderr.decode().strip()}")


def exhaust(path: Path) -> None:
    """Take all the room that is left."""
    with path.open("wb", buffering=0) as ballast, contextlib.suppress(OSError):
        while ballast.write(bytes(1000)):
            pass


needs_mount = pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("mount"), reason="needs root to mount a small tmpfs")


@needs_mount
@pytest.mark.parametrize("reserved", [True, False])
def test_retention_frees_a_disk_that_is_full_to_the_last_byte(tmp_path: Path, reserved: bool) -> None:
    small = tmp_path / "small"
    mount(small, "24m")
    try:
        lake = Lake.open(small / "lake", writable=True)
        old = "2026-01-01T00:00:00.000000Z"
        for n in range(20):
            noise = random.Random(n).randbytes(400_000).hex()
            lake.commit(Commit([event(n, message=noise) | ({"@timestamp": old} if n % 2 else {})]))
        exhaust(small / "ballast")
        if not reserved:
            (lake.root / "reserve").unlink()
            exhaust(small / "more")
            with pytest.raises(StoreError, match="disk full"):
                lake.retain(180, "2026-11-23T12:00:00.000000Z")
            (small / "more").unlink()
        assert lake.retain(180, "2026-11-23T12:00:00.000000Z") == 10
        assert lake.purge(grace=0) == 10
        lake.commit(Commit([event(30, message=random.Random(30).randbytes(400_000).hex())]))
        assert lake.count(parse_query("*"), ALWAYS) == 11
        assert lake.verify().sound
        (small / "ballast").unlink()
        lake.compact()
        assert (lake.root / "reserve").stat().st_size == 4 << 20  # for the next time
        lake.close()
    finally:
        subprocess.run(["umount", str(small)], check=True)


@needs_mount
def test_a_full_disk_is_told_and_leaves_the_store_consistent(tmp_path: Path) -> None:
    small = tmp_path / "small"
    mount(small, "1m")
    try:
        lake = Lake.open(small / "lake", writable=True)
        with pytest.raises(StoreError, match="disk full"):
            fill(lake)
        stored = lake.counters()["stored"]
        assert stored > 0
        lake.close()
        lake = Lake.open(small / "lake", writable=False)
        assert lake.counters() == {"stored": stored}
        assert lake.consumer("c")[0] == stored // 50
        assert lake.count(parse_query("message:*"), ALWAYS) == stored
        assert lake.verify().sound
        lake.close()
        ballast = sorted((small / "lake" / "hot").glob("*.tmp"))
        assert ballast == []
        subprocess.run(["mount", "-o", "remount,size=4m", str(small)], check=True)
        lake = Lake.open(small / "lake", writable=True)
        lake.commit(Commit([event(1)], consumer="c", position=stored // 50 + 1))
        assert lake.count(parse_query("*"), ALWAYS) == stored + 1
        lake.close()
    finally:
        subprocess.run(["umount", str(small)], check=True)
