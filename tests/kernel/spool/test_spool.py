from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.errors import StoreError
from kernel.spool import SpoolReader, SpoolWriter
from kernel.spool.format import HEADER, segment_path

ROOT = Path(__file__).resolve().parents[3]


def drain(folder: Path, start: int = 0, **limits: int) -> list[bytes]:
    reader, out = SpoolReader(folder), []
    while (batch := reader.read(start, **limits)).next_position != start:
        out.extend(record for _, record in batch.records)
        start = batch.next_position
    return out


@settings(deadline=None, max_examples=40)
@given(st.lists(st.lists(st.binary(max_size=200), max_size=20), max_size=20), st.integers(1, 50))
def test_what_is_put_is_read_in_order(tmp_path_factory: pytest.TempPathFactory, batches: list[list[bytes]], step: int) -> None:
    folder = tmp_path_factory.mktemp("spool")
    writer = SpoolWriter(folder, segment_bytes=500)
    for batch in batches:
        writer.put(batch)
    writer.close()
    assert drain(folder, max_records=step) == [record for batch in batches for record in batch]


def test_reopened_spool_goes_on_and_positions_grow(tmp_path: Path) -> None:
    positions = []
    for number in range(5):
        writer = SpoolWriter(tmp_path, segment_bytes=100)
        positions.append(writer.put([b"record %d" % number] * 5))
        writer.close()
    assert positions == sorted(set(positions))
    assert len(drain(tmp_path)) == 25


def test_torn_tail_is_cut_and_writing_goes_on(tmp_path: Path) -> None:
    writer = SpoolWriter(tmp_path)
    writer.put([b"one", b"two"])
    writer.close()
    with segment_path(tmp_path, 1).open("ab") as handle:
        handle.write(b"LDF1\x05\x00\x00\x00\xff\x00\x00\x00half a fra")
    assert drain(tmp_path) == [b"one", b"two"]
    writer = SpoolWriter(tmp_path)
    writer.put([b"three"])
    writer.close()
    assert drain(tmp_path) == [b"one", b"two", b"three"]


@pytest.mark.parametrize("where", [0, 5, 9, 13, HEADER.size + 6])
def test_damaged_frame_is_skipped_and_counted(tmp_path: Path, where: int) -> None:
    writer = SpoolWriter(tmp_path)
    first = writer.put([b"first record"])
    second = writer.put([b"second record"])
    writer.put([b"third record"])
    writer.close()
    path = segment_path(tmp_path, 1)
    data = bytearray(path.read_bytes())
    data[first % (1 << 40) + where] ^= 0xFF
    path.write_bytes(data)
    batch = SpoolReader(tmp_path).read(0)
    assert [record for _, record in batch.records] == [b"first record", b"third record"]
    assert batch.damaged_bytes == second - first


def test_lost_spool_goes_on_behind_what_was_read(tmp_path: Path) -> None:
    """Positions that were read once must not come again: their records would be taken for old ones."""
    writer = SpoolWriter(tmp_path, segment_bytes=100)
    read = [writer.put([b"x" * 100]) for _ in range(3)][-1]
    writer.close()
    for path in tmp_path.glob("*.seg"):
        path.unlink()
    writer = SpoolWriter(tmp_path, after=read)
    writer.put([b"new"])
    writer.close()
    assert drain(tmp_path, read) == [b"new"]


def test_spool_whose_end_was_lost_goes_on_behind_what_was_read(tmp_path: Path) -> None:
    """A power cut takes frames that a reader saw before they were synced."""
    writer = SpoolWriter(tmp_path)
    kept = writer.put([b"kept"])
    read = writer.put([b"read but not on disk"])
    writer.close()
    os.truncate(segment_path(tmp_path, 1), kept % (1 << 40))
    writer = SpoolWriter(tmp_path, after=read)
    writer.put([b"new"])
    writer.close()
    batch = SpoolReader(tmp_path).read(read)
    assert ([record for _, record in batch.records], batch.damaged_bytes) == ([b"new"], 0)


def test_disk_full_at_the_change_of_segments_keeps_the_old_one_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = SpoolWriter(tmp_path, segment_bytes=10)
    writer.put([b"first segment"])
    real, failures = os.fsync, []

    def full_twice(fd: int) -> None:
        if len(failures) < 2:
            failures.append(fd)
            raise OSError(errno.ENOSPC, "No space left on device")
        real(fd)

    monkeypatch.setattr("kernel.spool.writer.FULL_RETRY_SECONDS", 0.01)
    monkeypatch.setattr(os, "fsync", full_twice)
    writer.put([b"second segment"])
    writer.close()
    assert len(failures) == 2
    assert drain(tmp_path) == [b"first segment", b"second segment"]


def test_smallest_spool_does_not_stand_still(tmp_path: Path) -> None:
    """The newest segment is never released, so it must stay well below the limit."""
    writer, reader, start = SpoolWriter(tmp_path, max_bytes=4000), SpoolReader(tmp_path), 0
    for _ in range(100):
        writer.put([b"x" * 200])
        start = reader.read(start).next_position
        reader.release(start)
        assert writer.blocked == ""
    writer.close()


def test_second_writer_is_refused(tmp_path: Path) -> None:
    writer = SpoolWriter(tmp_path)
    with pytest.raises(StoreError, match="another process writes"):
        SpoolWriter(tmp_path)
    writer.close()
    SpoolWriter(tmp_path).close()


def test_many_threads_put_at_once(tmp_path: Path) -> None:
    writer = SpoolWriter(tmp_path, segment_bytes=4000)

    def put(name: int) -> None:
        for number in range(50):
            writer.put([b"%d:%d" % (name, number)])

    threads = [threading.Thread(target=put, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close()
    records = drain(tmp_path)
    assert sorted(records) == sorted(b"%d:%d" % (name, number) for name in range(8) for number in range(50))
    for name in range(8):
        own = [record for record in records if record.startswith(b"%d:" % name)]
        assert own == [b"%d:%d" % (name, number) for number in range(50)]


def test_full_spool_holds_senders_back_until_released(tmp_path: Path) -> None:
    writer = SpoolWriter(tmp_path, max_bytes=2000, segment_bytes=500)
    done = threading.Event()

    def put() -> None:
        for _ in range(40):
            writer.put([b"x" * 100])
        done.set()

    thread = threading.Thread(target=put)
    thread.start()
    assert not done.wait(0.3)
    assert "wait for detection" in writer.blocked
    reader, start, seen = SpoolReader(tmp_path), 0, 0
    deadline = time.monotonic() + 20
    while seen < 40 and time.monotonic() < deadline:
        batch = reader.read(start)
        seen, start = seen + len(batch.records), batch.next_position
        reader.release(start)
        time.sleep(0.01)
    thread.join()
    assert done.is_set()
    assert seen == 40
    assert writer.blocked == ""


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("unshare") is None, reason="needs root and unshare for a small tmpfs")
def test_full_disk_blocks_and_loses_nothing(tmp_path: Path) -> None:
    """On a tmpfs of 256 KiB the writer blocks; when room is made it goes on; all that was acknowledged is there."""
    script = """
import os, sys, threading, time
from pathlib import Path
from kernel.spool import SpoolReader, SpoolWriter
folder = Path(sys.argv[1])
(folder / 'ballast').write_bytes(b'x' * 100_000)
writer, acked = SpoolWriter(folder / 'spool'), []
def put():
    for number in range(60):
        writer.put([b'%d:' % number + b'y' * 4000])
        acked.append(number)
thread = threading.Thread(target=put); thread.start()
deadline = time.monotonic() + 10
while writer.blocked != 'disk full' and time.monotonic() < deadline: time.sleep(0.01)
assert writer.blocked == 'disk full', writer.blocked
before = len(acked)
assert 0 < before < 60
(folder / 'ballast').unlink()
thread.join(3)
stored = [int(r.split(b':')[0]) for _, r in SpoolReader(folder / 'spool').read(0).records]
assert stored[:len(acked)] == acked and len(acked) > before, (stored, acked)
print('ok', before, len(acked)); sys.stdout.flush(); os._exit(0)
"""
    mount = (
        f"mount -t tmpfs -o size=256k tmpfs {tmp_path} && exec {sys.executable} -c '{script.replace(chr(39), chr(34))}' {tmp_path}"
    )
    run = subprocess.run(
        ["unshare", "-m", "sh", "-c", mount],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=60,
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("ok")


def test_killed_writer_loses_nothing_acknowledged(tmp_path: Path) -> None:
    script = """
import sys
from pathlib import Path
from kernel.spool import SpoolWriter
writer, number = SpoolWriter(Path(sys.argv[1]), segment_bytes=20000), int(sys.argv[2])
while True:
    writer.put([b'%d' % (number + i) for i in range(7)])
    number += 7
    print(number, flush=True)
"""
    acked = 0
    for _ in range(4):
        process = subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path), str(acked)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert process.stdout is not None
        for _ in range(30):
            acked = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().split()
        acked = int(rest[-1]) if rest else acked
        process.wait()
        stored = [int(record) for record in drain(tmp_path)]
        assert stored[:acked] == list(range(acked))
        acked = len(stored)
