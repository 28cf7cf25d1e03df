"""The spool's door: acknowledged means on disk; ingest may die and come back; further readers keep what they need."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from kernel.record import RawRecord, decode_record
from kernel.spool import SpoolClosedError, SpoolReader, SpoolWriter
from kernel.spool.gate import GateSink, SpoolGate
from kernel.spool.ledger import Entry, LedgerEntry, spool_name


def records(first: int, count: int) -> list[RawRecord]:
    return [RawRecord("s", "text", 1, "o", b"%d" % number, "stream", number) for number in range(first, first + count)]


def offsets(folder: Path) -> list[int]:
    return [decode_record(data).offset for _, data in SpoolReader(folder).read(0).records]


def test_put_returns_when_it_is_on_disk(tmp_path: Path) -> None:
    writer = SpoolWriter(tmp_path / "spool")
    gate, sink = SpoolGate(tmp_path / "gate", writer.put), GateSink(tmp_path / "gate")
    sink.put(records(0, 3))
    assert offsets(tmp_path / "spool") == [0, 1, 2]
    assert (tmp_path / "gate").stat().st_mode & 0o777 == 0o600
    gate.close()
    writer.close()


def test_many_threads_and_a_writer_that_goes_away(tmp_path: Path) -> None:
    sink = GateSink(tmp_path / "gate")
    threads = [threading.Thread(target=lambda n=n: sink.put(records(n * 10, 10))) for n in range(8)]  # type: ignore[misc]
    for thread in threads:
        thread.start()
    time.sleep(0.3)  # nobody is there yet
    assert "does not answer" in sink.blocked
    writer = SpoolWriter(tmp_path / "spool")
    gate = SpoolGate(tmp_path / "gate", writer.put)
    for thread in threads:
        thread.join(10)
    gate.close()
    writer.close()
    writer = SpoolWriter(tmp_path / "spool")
    gate = SpoolGate(tmp_path / "gate", writer.put)
    sink.put(records(80, 1))
    assert sorted(offsets(tmp_path / "spool")) == list(range(81))
    gate.close()
    writer.close()


def test_closing_ends_the_wait(tmp_path: Path) -> None:
    sink = GateSink(tmp_path / "nobody")
    threading.Timer(0.2, sink.close).start()
    with pytest.raises(SpoolClosedError):
        sink.put(records(0, 1))


def test_segments_stay_while_a_further_reader_needs_them(tmp_path: Path) -> None:
    writer = SpoolWriter(tmp_path, segment_bytes=100)
    ends = [writer.put([b"x" * 90]) for _ in range(4)]
    reader, ledger = SpoolReader(tmp_path), LedgerEntry(tmp_path, "other")
    assert ledger.read() == Entry(0, spool_name(tmp_path))
    reader.release(ends[-1])
    assert len(reader.read(0).records) == 4
    ledger.write(Entry(ends[1], spool_name(tmp_path)))
    reader.release(ends[-1])
    assert len(reader.read(0).records) in (2, 3)
    ledger.path.write_bytes(b"damaged")
    reader.release(ends[-1])  # what a damaged entry needs is not known: nothing goes
    kept = len(reader.read(0).records)
    ledger.remove()
    reader.release(ends[-1])
    assert len(reader.read(0).records) == 1 < kept
    writer.close()
