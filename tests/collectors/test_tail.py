"""collectors/tail.py: every kind of rotation, restarts, and a kill in the middle."""

from __future__ import annotations

import gzip
import os
import random
import shutil
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from collectors import tail
from collectors.checkpoint import read_checkpoint
from collectors.tail import FileTail
from kernel.record import RawRecord


class Collected:
    """A sink that does what the pipeline does with re-deliveries."""

    def __init__(self) -> None:
        self.all: list[RawRecord] = []

    def put(self, records: Sequence[RawRecord]) -> None:
        assert 0 < len(records) <= 1000
        self.all += records

    @property
    def lines(self) -> list[bytes]:
        highest: dict[str, int] = {}
        kept = []
        for record in self.all:
            if record.offset > highest.get(record.stream, -1):
                highest[record.stream] = record.offset
                kept.append(record.raw)
        return kept


@pytest.fixture
def sink() -> Collected:
    return Collected()


@pytest.fixture(autouse=True)
def _short_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail, "ROTATED_SECONDS", 0.0)


def _tail(folder: Path, sink: Collected, pattern: str = "app.log", **options: object) -> FileTail:
    return FileTail([str(folder / pattern)], sink, folder / "state" / "tail.json", **options)  # type: ignore[arg-type]


def _append(path: Path, *lines: str) -> None:
    with path.open("a") as file:
        file.writelines(f"{line}\n" for line in lines)


def _numbered(start: int, end: int) -> list[str]:
    return [f"Nov 22 08:00:00 host app[{number}]: line number {number}" for number in range(start, end)]


def _bytes(lines: list[str]) -> list[bytes]:
    return [line.encode() for line in lines]


def test_growing_file_and_a_last_line_that_waits_for_its_end(tmp_path: Path, sink: Collected) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(b"one\r\n\ntwo\nthr")
    follower = _tail(tmp_path, sink)
    assert follower.poll() == 2
    assert follower.poll() == 0
    with path.open("ab") as file:
        file.write(b"ee\n")
    assert follower.poll() == 1
    assert [r.raw for r in sink.all] == [b"one", b"two", b"three"]
    assert [r.offset for r in sink.all] == [5, 10, 16]
    assert len({r.stream for r in sink.all}) == 1
    assert sink.all[0].origin == str(path)


def test_restart_goes_on_where_it_stood(tmp_path: Path, sink: Collected) -> None:
    path = tmp_path / "app.log"
    _append(path, *_numbered(0, 2500))
    _tail(tmp_path, sink).poll()
    _append(path, *_numbered(2500, 2600))
    assert _tail(tmp_path, sink).poll() == 100
    assert [r.raw for r in sink.all] == _bytes(_numbered(0, 2600))


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("pattern", ["app.log", "app.log*"])
def test_rename_rotation(tmp_path: Path, sink: Collected, restart: bool, pattern: str) -> None:
    path = tmp_path / "app.log"
    _append(path, *_numbered(0, 50))
    follower = _tail(tmp_path, sink, pattern)
    follower.poll()
    _append(path, *_numbered(50, 60))
    path.rename(tmp_path / "app.log.1")
    _append(tmp_path / "app.log.1", *_numbered(60, 70))  # the writer has not reopened yet
    _append(path, *_numbered(70, 80))
    follower = _tail(tmp_path, sink, pattern) if restart else follower
    for _ in range(3):
        follower.poll()
    assert sorted(sink.lines) == sorted(_bytes(_numbered(0, 80)))
    assert len(sink.all) == 80


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("pattern", ["app.log", "app.log*"])
def test_copytruncate(tmp_path: Path, sink: Collected, restart: bool, pattern: str) -> None:
    path = tmp_path / "app.log"
    _append(path, *_numbered(0, 50))
    follower = _tail(tmp_path, sink, pattern)
    follower.poll()
    _append(path, *_numbered(50, 60))
    shutil.copy(path, tmp_path / "app.log.1")
    if not restart:
        follower.poll()  # the look falls between copying and truncating
    os.truncate(path, 0)
    _append(path, *_numbered(70, 80))
    follower = _tail(tmp_path, sink, pattern) if restart else follower
    for _ in range(3):
        follower.poll()
    assert sorted(r.raw for r in sink.all) == sorted(_bytes([*_numbered(0, 60), *_numbered(70, 80)]))
    assert follower.counters["truncations"] == 1 or restart


def test_rotated_and_compressed_while_down(tmp_path: Path, sink: Collected) -> None:
    path = tmp_path / "app.log"
    _append(path, *_numbered(0, 50))
    _tail(tmp_path, sink).poll()
    _append(path, *_numbered(50, 60))
    with gzip.open(tmp_path / "app.log.1.gz", "wb") as packed:
        packed.write(path.read_bytes())
    path.unlink()
    _append(path, *_numbered(60, 70))
    _tail(tmp_path, sink).poll()
    assert sorted(sink.lines) == sorted(_bytes(_numbered(0, 70)))
    assert len(sink.all) == 70


def test_rewritten_in_place_is_a_new_stream(tmp_path: Path, sink: Collected) -> None:
    path = tmp_path / "app.log"
    _append(path, *_numbered(0, 5))
    follower = _tail(tmp_path, sink)
    follower.poll()
    path.write_text("".join(f"{line}\n" for line in _numbered(100, 110)))
    follower.poll()
    assert sink.lines == _bytes([*_numbered(0, 5), *_numbered(100, 110)])
    assert len({r.stream for r in sink.all}) == 2


def test_a_line_above_the_limit_is_cut_counted_and_the_rest_skipped(tmp_path: Path, sink: Collected) -> None:
    path = tmp_path / "app.log"
    path.write_bytes(b"before\n" + b"x" * 5000 + b"\nafter\n" + b"y" * 500)
    follower = _tail(tmp_path, sink, max_line=100)
    follower.poll()
    follower = _tail(tmp_path, sink, max_line=100)  # restarted inside the unfinished long line
    with path.open("ab") as file:
        file.write(b"still y\nend\n")
    follower.poll()
    assert [(r.format, r.raw) for r in sink.all] == [
        ("syslog", b"before"),
        ("text", b"x" * 100),
        ("syslog", b"after"),
        ("text", b"y" * 100),
        ("syslog", b"end"),
    ]


def test_ten_megabyte_line_with_the_default_limit(tmp_path: Path, sink: Collected) -> None:
    (tmp_path / "app.log").write_bytes(b"a" * (10 << 20) + b"\nnext\n")
    follower = _tail(tmp_path, sink)
    follower.poll()
    assert [len(r.raw) for r in sink.all] == [1 << 20, 4]
    assert follower.counters["oversized"] == 1


def test_only_new_lines_when_asked(tmp_path: Path, sink: Collected) -> None:
    path = tmp_path / "app.log"
    _append(path, *_numbered(0, 5))
    follower = _tail(tmp_path, sink, from_start=False)
    follower.poll()
    _append(path, *_numbered(5, 6))
    follower.poll()
    assert sink.lines == _bytes(_numbered(5, 6))


def test_the_checkpoint_names_a_stream_before_its_first_record_is_put(tmp_path: Path) -> None:
    seen: list[bool] = []

    class Checking(Collected):
        def put(self, records: Sequence[RawRecord]) -> None:
            seen.append(records[0].stream in {p.stream for p in read_checkpoint(tmp_path / "state" / "tail.json")})

    _append(tmp_path / "app.log", "x")
    _tail(tmp_path, Checking()).poll()
    assert seen == [True]


def test_a_failing_sink_loses_nothing(tmp_path: Path) -> None:
    class Failing(Collected):
        broken = True

        def put(self, records: Sequence[RawRecord]) -> None:
            if self.broken:
                raise RuntimeError("no room")
            super().put(records)

    sink = Failing()
    (tmp_path / "app.log").write_bytes(b"x" * 500 + b"\nafter\n")
    follower = _tail(tmp_path, sink, max_line=100)
    with pytest.raises(RuntimeError):
        follower.poll()
    sink.broken = False
    follower.poll()
    assert [r.raw for r in sink.all] == [b"x" * 100, b"after"]


class Interrupting(Collected):
    """Stops the tail, or lets the disk be full, after the first batch."""

    def __init__(self, fault: str) -> None:
        super().__init__()
        self.fault = fault
        self.tail: FileTail | None = None

    def put(self, records: Sequence[RawRecord]) -> None:
        if self.fault == "disk full" and self.all:
            self.fault = ""
            raise OSError(28, "No space left on device")
        super().put(records)
        if self.fault == "stop" and self.tail is not None:
            self.fault = ""
            self.tail.stop()


@pytest.mark.parametrize("fault", ["stop", "disk full"])
@pytest.mark.parametrize("restart", [False, True])
def test_interrupted_while_finishing_a_rotated_file(tmp_path: Path, fault: str, restart: bool) -> None:
    """What is left of it is read later: after a restart its position must still be in the checkpoint."""
    log, sink = tmp_path / "app.log", Interrupting(fault)
    lines = _numbered(0, 40_000)  # several chunks
    _append(log, *lines[:10])
    first = _tail(tmp_path, Collected())
    first.poll()
    first.stop()
    first.run()
    _append(log, *lines[10:])
    log.rename(tmp_path / "app.log.1")
    _append(log, "Nov 22 08:00:00 host app[0]: new file")
    second = sink.tail = _tail(tmp_path, sink)
    second.poll()
    if restart or fault == "stop":
        second.stop()
        second.run()
        second = _tail(tmp_path, sink)
    second.poll()
    second.poll()
    assert sorted(sink.lines) == sorted(_bytes([*lines[10:], "Nov 22 08:00:00 host app[0]: new file"]))


def test_damaged_compressed_rotation_does_not_stop_the_source(tmp_path: Path, sink: Collected) -> None:
    log = tmp_path / "app.log"
    _append(log, *_numbered(0, 10))
    first = _tail(tmp_path, sink)
    first.poll()
    first.stop()
    first.run()
    _append(log, *_numbered(10, 60_000))
    packed = bytearray(gzip.compress(log.read_bytes()))
    packed[len(packed) // 2 : len(packed) // 2 + 64] = b"\xff" * 64
    (tmp_path / "app.log.1.gz").write_bytes(packed)
    log.unlink()
    _append(log, "Nov 22 08:00:00 host app[0]: new file")
    second = _tail(tmp_path, sink)
    second.poll()
    second.poll()
    assert sink.lines[-1].endswith(b"new file")
    assert "app.log.1.gz" in second.error


def test_damaged_checkpoint_is_said_and_files_are_read_again(
    tmp_path: Path, sink: Collected, caplog: pytest.LogCaptureFixture
) -> None:
    _append(tmp_path / "app.log", "x")
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "tail.json").write_bytes(b'[{"path": "trunc')
    assert _tail(tmp_path, sink).poll() == 1
    assert "cannot be used" in caplog.text


def test_kill_minus_nine_in_the_middle_of_writing_and_rotating(tmp_path: Path) -> None:
    """A writer process rotates its file; followers are killed at random moments; the union of what they put is exact."""
    path, out, total = tmp_path / "app.log", tmp_path / "out", 20_000
    path.touch()
    writer = os.fork()
    if writer == 0:
        file = path.open("a")
        for number in range(total):
            file.write(f"line number {number} of the writer, padded to some length {number * 7919}\n")
            if number % 200 == 0:
                file.flush()
                time.sleep(0.01)
            if number % 5000 == 4999:
                file.close()
                for old in (2, 1):
                    if (tmp_path / f"app.log.{old}").exists():
                        (tmp_path / f"app.log.{old}").rename(tmp_path / f"app.log.{old + 1}")
                path.rename(tmp_path / "app.log.1")
                file = path.open("a")
        file.close()
        os._exit(0)

    class Appending:
        def put(self, records: Sequence[RawRecord]) -> None:
            with out.open("ab") as file:
                file.writelines(b"%s\t%d\t%s\n" % (r.stream.encode(), r.offset, r.raw) for r in records)

    def life(seconds: float) -> None:
        child = os.fork()
        if child == 0:
            try:
                FileTail([str(path)], Appending(), tmp_path / "state" / "tail.json", poll_seconds=0.01).run()
            finally:
                os._exit(1)
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)

    chance = random.Random(7)
    for _ in range(12):
        life(0.05 + chance.random() * 0.2)
    os.waitpid(writer, 0)
    life(1.5)

    highest: dict[bytes, int] = {}
    kept = []
    for line in out.read_bytes().split(b"\n"):
        if line.count(b"\t") == 2:
            stream, offset, raw = line.split(b"\t")
            if int(offset) > highest.get(stream, -1):
                highest[stream] = int(offset)
                kept.append(raw)
    expected = {b"line number %d of the writer, padded to some length %d" % (n, n * 7919) for n in range(total)}
    assert set(kept) == expected
    assert len(kept) == total
