"""EVTX files, whole and broken."""

from __future__ import annotations

import io
import json
import random
from pathlib import Path

import pytest
from evtx import PyEvtxParser

from collectors.evtx import CHUNK_SIZE, HEADER_SIZE, evtx_records
from kernel.errors import ParseError

NAME = "DE_RDP_Tunneling_TerminalServices-RemoteConnectionManagerOperational_1149.evtx"


@pytest.fixture(scope="module")
def log(shared: Path) -> bytes:
    """A real log of 228 records in three chunks (128 of them in the first)."""
    return (shared / "corpora" / "evtx" / NAME).read_bytes()


def read(content: bytes) -> tuple[list[tuple[int, bytes]], list[str]]:
    told: list[str] = []
    return list(evtx_records(io.BytesIO(content), "x.evtx", told.append)), told


def test_same_records_as_the_library_gives_for_whole_files(shared: Path) -> None:
    for file in sorted((shared / "corpora" / "evtx").glob("*.evtx")):
        found, told = read(file.read_bytes())
        assert [raw.decode() for _, raw in found] == [one["data"] for one in PyEvtxParser(str(file)).records_json()], file.name
        assert told == []
        assert [number for number, _ in found] == sorted({number for number, _ in found})


def test_cut_off_in_a_chunk(log: bytes) -> None:
    whole, _ = read(log)
    found, told = read(log[: HEADER_SIZE + CHUNK_SIZE + 30_000])
    assert 128 < len(found) < 228
    assert found == whole[: len(found)]
    assert told == [
        f"x.evtx: byte {HEADER_SIZE + CHUNK_SIZE}: {228 - len(found)} of 100 records lost: cut off after 30000 of 65536 bytes"
    ]


def test_zeroed_stretch_costs_only_its_records(log: bytes) -> None:
    broken = bytearray(log)
    broken[100_000:110_000] = bytes(10_000)
    found, told = read(bytes(broken))
    assert 128 < len(found) < 228
    assert f"{228 - len(found)} of 100 records lost" in told[0]


def test_damaged_chunk_header(log: bytes) -> None:
    broken = bytearray(log)
    broken[HEADER_SIZE : HEADER_SIZE + 512] = bytes(512)
    found, told = read(bytes(broken))
    assert len(found) == 100
    assert told == ["x.evtx: byte 4096: damaged chunk header, 64 KiB skipped"]


def test_damaged_file_header(log: bytes) -> None:
    found, told = read(b"\xff" * HEADER_SIZE + log[HEADER_SIZE:])
    assert len(found) == 228
    assert told == ["x.evtx: EVTX file header is damaged; the chunks behind it were read"]


@pytest.mark.parametrize("content", [b"x", b"\0" * 100_000, random.Random(1).randbytes(300_000), b"ElfFil" * 20_000])
def test_what_is_no_event_log_is_refused(content: bytes) -> None:
    with pytest.raises(ParseError, match=r"x\.evtx is not a Windows event log"):
        read(content)


def test_fuzzed_logs_never_crash_and_never_invent(shared: Path, log: bytes) -> None:
    whole = {raw for _, raw in read(log)[0]}
    chance = random.Random(7)
    for _ in range(60):
        broken = bytearray(log[: HEADER_SIZE + 2 * CHUNK_SIZE])
        for _ in range(chance.choice([1, 5, 50, 500])):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        found, told = read(bytes(broken))
        assert len(found) <= 400
        assert all(isinstance(json.loads(raw), dict) for _, raw in found)
        assert told or len(found) >= len(whole) - 20
