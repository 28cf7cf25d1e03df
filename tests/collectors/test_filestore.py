"""collectors/filestore.py on a store as Suricata lays it out."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from collectors.filestore import FileStoreWatch, prune_store, stored_files
from collectors.parsers.suricata_eve import parse_stored
from kernel.record import RawRecord


class Kept:
    def __init__(self) -> None:
        self.records: list[RawRecord] = []
        self.broken = False

    def put(self, records: Sequence[RawRecord]) -> None:
        if self.broken:
            raise OSError("disk full")
        self.records += records


def _watch(root: Path, sink: Kept, **options: float) -> FileStoreWatch:
    return FileStoreWatch(root, sink, root.parent / "files.json", **options)


def _store(root: Path, content: bytes, name: str = "a.exe", age: int = 0, client: str = "10.0.0.1", number: int = 1) -> Path:
    digest = hashlib.sha256(content).hexdigest()
    folder = root / digest[:2]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / digest
    path.write_bytes(content)
    note = {"timestamp": "2026-11-22T08:00:00.000000+0000", "event_type": "fileinfo", "src_ip": client, "dest_ip": "fd00::2"}
    note |= {"fileinfo": {"filename": f"/x/{name}", "sha256": digest}}
    (folder / f"{digest}.1469000000.{number}.json").write_text(json.dumps(note))
    os.utime(path, (time.time() - age, time.time() - age))
    return path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "filestore"
    folder.mkdir()
    return folder


def test_each_file_is_handed_over_once_also_after_a_restart(root: Path) -> None:
    sink = Kept()
    path = _store(root, b"MZ one")
    (root / "tmp").mkdir()
    (root / "tmp" / "file.1").write_bytes(b"being written")
    assert _watch(root, sink).poll() == 1
    assert _watch(root, sink).poll() == 0
    _store(root, b"MZ two")
    assert _watch(root, sink).poll() == 1
    event = parse_stored(sink.records[0])[0]
    assert event["file.path"] == str(path)
    assert (event["file.name"], event["file.size"], event["source.ip"], event["destination.ip"]) == (
        "a.exe",
        6,
        "10.0.0.1",
        "fd00::2",
    )
    assert event["event.dataset"] == "suricata.file_stored"
    assert len({record.stream for record in sink.records}) == 1
    assert [record.offset for record in sink.records] == [0, 1]


def test_the_second_host_that_fetches_the_same_content_is_told_too_and_the_content_kept_once(root: Path) -> None:
    sink = Kept()
    watch = _watch(root, sink)
    path = _store(root, b"MZ malware")
    assert watch.poll() == 1
    _store(root, b"MZ malware", name="b.exe", client="2001:db8::7", number=2)
    assert watch.poll() == 1
    events = [parse_stored(record)[0] for record in sink.records]
    assert [(event["source.ip"], event["file.name"]) for event in events] == [("10.0.0.1", "a.exe"), ("2001:db8::7", "b.exe")]
    assert {event["file.path"] for event in events} == {str(path)}
    assert sorted(entry.name for entry in path.parent.iterdir()) == [path.name, f"{path.name}.seen"], "notes go when they are told"
    assert (watch.counters["files"], watch.counters["files_lost"]) == (2, 0)


def test_a_file_that_could_not_be_put_is_put_later_under_the_same_name(root: Path) -> None:
    sink = Kept()
    _store(root, b"x")
    watch = _watch(root, sink)
    sink.broken = True
    with pytest.raises(OSError, match="disk full"):
        watch.poll()
    _store(root, b"y")
    sink.broken = False
    assert watch.poll() == 1
    assert [record.offset for record in sink.records] == [0, 1]


def test_after_a_kill_between_handing_over_and_writing_it_down_the_same_offsets_come_again(root: Path) -> None:
    sink = Kept()
    _store(root, b"x")
    _store(root, b"y")
    watch = _watch(root, sink)
    before = (root.parent / "files.json", b"")
    original = sink.put

    def put_and_remember(records: Sequence[RawRecord]) -> None:
        nonlocal before
        original(records)
        before = (before[0], before[0].read_bytes())  # as a kill right here would leave it

    sink.put = put_and_remember  # type: ignore[method-assign]
    watch.poll()
    first = [(record.stream, record.offset) for record in sink.records]
    before[0].write_bytes(before[1])
    sink.records.clear()
    _watch(root, sink).poll()
    assert [(record.stream, record.offset) for record in sink.records] == first


def test_a_file_whose_note_never_came_is_handed_over_after_a_while(root: Path) -> None:
    sink = Kept()
    young, old = _store(root, b"young"), _store(root, b"old", age=60)
    for note in root.glob("*/*.json"):
        note.unlink()
    assert _watch(root, sink).poll() == 1
    assert parse_stored(sink.records[0])[0]["file.name"] == old.name
    assert not young.with_name(f"{young.name}.seen").exists()


def test_a_note_still_being_written_waits(root: Path) -> None:
    sink = Kept()
    path = _store(root, b"x")
    note = next(path.parent.glob("*.json"))
    whole = note.read_text()
    note.write_text(whole[:20])
    watch = _watch(root, sink)
    assert watch.poll() == 0
    note.write_text(whole)
    assert watch.poll() == 1
    assert parse_stored(sink.records[0])[0]["source.ip"] == "10.0.0.1"


def test_prune_deletes_the_oldest_handed_over_files_first(root: Path) -> None:
    sink = Kept()
    old, new = _store(root, b"a" * 100, age=50), _store(root, b"b" * 100, age=10)
    watch = _watch(root, sink, capacity=150)
    watch.poll()
    watch.prune()
    assert not old.exists()
    assert new.exists()
    assert list(old.parent.glob(f"{old.name}*")) == []
    fresh = _store(root, b"c" * 140)
    watch.prune()
    assert fresh.exists(), "not handed over yet"
    assert (watch.counters["files_pruned"], watch.counters["files_lost"], watch.error) == (1, 0, "")
    assert watch.counters["file_store_bytes"] == 240


def test_files_are_kept_for_a_time_only(root: Path) -> None:
    old, new = _store(root, b"a", age=7200), _store(root, b"b", age=60)
    watch = _watch(root, Kept(), keep_seconds=3600)
    watch.poll()
    watch.prune()
    assert (old.exists(), new.exists()) == (False, True)


def test_a_sink_that_takes_nothing_does_not_let_the_disk_fill(root: Path) -> None:
    sink = Kept()
    sink.broken = True
    watch = _watch(root, sink, capacity=150)
    for number in range(5):
        _store(root, b"%d" % number * 100, age=50 - number)
        with pytest.raises(OSError, match="disk full"):
            watch.poll()
        watch.prune()
    left = [file for file in root.glob("*/*") if len(file.name) == 64]
    assert sum(file.stat().st_size for file in left) <= 150
    assert watch.counters["files_lost"] == 4
    assert "removed before they could be scanned" in watch.error
    sink.broken = False
    assert watch.poll() >= 0
    assert len(sink.records) == 1, "what is left is handed over"


def test_a_run_over_a_capture_keeps_no_more_than_its_limit(root: Path) -> None:
    for number in range(5):
        _store(root, b"%d" % number * 100, age=50 - number)
    assert prune_store(root, 250) == 3
    assert {file.size for file in stored_files(root)} == {100}
    assert len(list(stored_files(root))) == 2


def test_links_and_damaged_notes(root: Path) -> None:
    path = _store(root, b"x")
    next(path.parent.glob("*.json")).write_bytes(b"{ broken")
    (root / "ab").mkdir(exist_ok=True)
    (root / "ab" / ("ab" + "0" * 62)).symlink_to("/etc/hostname")
    (stored,) = stored_files(root)
    assert (stored.path, stored.fileinfo) == (str(path), {})
    sink = Kept()
    os.utime(path.parent / next(path.parent.glob("*.json")).name, (1, 1))
    assert _watch(root, sink).poll() == 1
