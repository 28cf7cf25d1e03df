"""collectors/filestore.py on a store as Suricata lays it out."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from collectors.filestore import FileStoreWatch, stored_files
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


def _store(root: Path, content: bytes, name: str = "a.exe", age: int = 0) -> Path:
    digest = hashlib.sha256(content).hexdigest()
    folder = root / digest[:2]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / digest
    path.write_bytes(content)
    note = {"timestamp": "2026-11-22T08:00:00.000000+0000", "event_type": "fileinfo", "src_ip": "10.0.0.1", "dest_ip": "fd00::2"}
    note |= {"fileinfo": {"filename": f"/x/{name}", "sha256": digest}}
    (folder / f"{digest}.1469000000.1.json").write_text(json.dumps(note))
    os.utime(path, (1_700_000_000 - age, 1_700_000_000 - age))
    return path


def test_each_file_is_handed_over_once_also_after_a_restart(tmp_path: Path) -> None:
    sink = Kept()
    path = _store(tmp_path, b"MZ one")
    (tmp_path / "tmp").mkdir()
    (tmp_path / "tmp" / "file.1").write_bytes(b"being written")
    assert FileStoreWatch(tmp_path, sink).poll() == 1
    assert FileStoreWatch(tmp_path, sink).poll() == 0
    _store(tmp_path, b"MZ two")
    assert FileStoreWatch(tmp_path, sink).poll() == 1
    event = parse_stored(sink.records[0])[0]
    assert event["file.path"] == str(path)
    assert (event["file.name"], event["file.size"], event["source.ip"], event["destination.ip"]) == (
        "a.exe",
        6,
        "10.0.0.1",
        "fd00::2",
    )
    assert event["event.dataset"] == "suricata.file_stored"
    assert len({record.stream for record in sink.records}) == 2


def test_a_file_that_could_not_be_put_is_put_later_under_the_same_name(tmp_path: Path) -> None:
    sink = Kept()
    _store(tmp_path, b"x")
    watch = FileStoreWatch(tmp_path, sink)
    sink.broken = True
    with pytest.raises(OSError, match="disk full"):
        watch.poll()
    sink.broken = False
    assert watch.poll() == 1


def test_prune_deletes_the_oldest_handed_over_files_only(tmp_path: Path) -> None:
    sink = Kept()
    old, new = _store(tmp_path, b"a" * 100, age=50), _store(tmp_path, b"b" * 100, age=10)
    watch = FileStoreWatch(tmp_path, sink, capacity=150)
    watch.poll()
    assert not old.exists()
    assert new.exists()
    fresh = _store(tmp_path, b"c" * 500)
    watch.prune()
    assert fresh.exists(), "not handed over yet"
    assert watch.counters["pruned"] == 1


def test_links_and_damaged_notes(tmp_path: Path) -> None:
    path = _store(tmp_path, b"x")
    next(path.parent.glob("*.json")).write_bytes(b"{ broken")
    (tmp_path / "ab").mkdir(exist_ok=True)
    (tmp_path / "ab" / ("ab" + "0" * 62)).symlink_to("/etc/hostname")
    (stored,) = stored_files(tmp_path)
    assert (stored.path, stored.fileinfo) == (str(path), {})
