"""On-disk form of the spool, shared by writer and reader.

A spool is a folder of segments ``0000000000000001.seg``, ``…2.seg``, each a run of frames; a frame is one fsynced batch:

    magic   4 bytes  b"LDF1"
    count   u32 LE   records in the frame
    length  u32 LE   bytes of payload
    crc     u32 LE   CRC-32 (zlib) of count, length and payload
    payload          count × (u32 LE length, bytes)

A *position* is ``segment << 40 | byte offset`` — it grows for ever, so positions compare like time. Frames are read whole or
not at all: a torn frame at the end is cut by the next writer; a damaged frame elsewhere is skipped to the next valid one and
its bytes are counted.
"""

from __future__ import annotations

import contextlib
import os
import struct
import zlib
from collections.abc import Sequence
from pathlib import Path

MAGIC = b"LDF1"
HEADER = struct.Struct("<4sIII")
LENGTH = struct.Struct("<I")
OFFSET_BITS = 40
MAX_FRAME_BYTES = 64 << 20


def position(segment: int, offset: int) -> int:
    return segment << OFFSET_BITS | offset


def split_position(value: int) -> tuple[int, int]:
    """(segment, offset) of a position."""
    return value >> OFFSET_BITS, value & ((1 << OFFSET_BITS) - 1)


def segment_path(folder: Path, segment: int) -> Path:
    return folder / f"{segment:016d}.seg"


def segments(folder: Path) -> list[int]:
    """Numbers of the segments in a folder, lowest first."""
    return sorted(int(path.stem) for path in folder.glob("*.seg") if path.stem.isdigit())


def waiting_bytes(folder: Path) -> int:
    """Bytes of all segments still there (a reader may remove some meanwhile)."""
    total = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".seg"):
                with contextlib.suppress(FileNotFoundError):
                    total += entry.stat().st_size
    return total


def encode_frame(records: Sequence[bytes]) -> bytes:
    """One frame; raises ValueError when it would be larger than MAX_FRAME_BYTES."""
    pack = LENGTH.pack
    payload = b"".join([part for record in records for part in (pack(len(record)), record)])
    if len(payload) > MAX_FRAME_BYTES:
        raise ValueError(f"frame of {len(payload)} bytes is over the limit of {MAX_FRAME_BYTES}")
    return HEADER.pack(MAGIC, len(records), len(payload), checksum(len(records), payload)) + payload


def checksum(count: int, payload: bytes | memoryview) -> int:
    return zlib.crc32(payload, zlib.crc32(struct.pack("<II", count, len(payload))))


def decode_payload(count: int, payload: bytes) -> list[tuple[int, bytes]]:
    """(offset within the payload, record) pairs; raises ValueError when count and lengths disagree."""
    records: list[tuple[int, bytes]] = []
    offset = 0
    end = len(payload)
    unpack = LENGTH.unpack_from
    while offset < end:
        (length,) = unpack(payload, offset)
        start = offset + 4
        if start + length > end:
            raise ValueError("record runs past its frame")
        records.append((offset, payload[start : start + length]))
        offset = start + length
    if len(records) != count:
        raise ValueError(f"frame says {count} records, holds {len(records)}")
    return records
