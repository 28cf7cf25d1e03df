"""Reading side of the spool: whole frames from a position on, past damage, and the removal of what is done."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import BinaryIO

import msgspec

from kernel.spool.format import (
    HEADER,
    MAGIC,
    MAX_FRAME_BYTES,
    checksum,
    decode_payload,
    position,
    segment_path,
    segments,
    split_position,
)
from kernel.spool.ledger import kept_from


class ReadBatch(msgspec.Struct):
    """What one read gave: ``(position, record)`` pairs, where the next read starts, and how many bytes were damaged."""

    records: list[tuple[int, bytes]]
    next_position: int
    damaged_bytes: int = 0


def valid_end(path: Path) -> int:
    """Offset after the last whole, undamaged frame of a segment that may end in a torn one."""
    data = path.read_bytes()
    offset = end = 0
    while (found := data.find(MAGIC, offset)) >= 0:
        length = _frame_length(data, found)
        if length:
            end = offset = found + length
        else:
            offset = found + 1
    return end


def _frame_length(data: bytes, offset: int) -> int:
    """Length of the frame at ``offset``, 0 if there is no whole, undamaged one."""
    if offset + HEADER.size > len(data):
        return 0
    magic, count, length, crc = HEADER.unpack_from(data, offset)
    end = offset + HEADER.size + length
    if magic != MAGIC or length > MAX_FRAME_BYTES or end > len(data):
        return 0
    return end - offset if checksum(count, memoryview(data)[offset + HEADER.size : end]) == crc else 0


class SpoolReader:
    """Reads one spool folder; many readers may read beside the writer."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def read(self, start: int, *, max_records: int = 10_000, max_bytes: int = 32 << 20) -> ReadBatch:
        """Frames from ``start`` on until ``max_records`` or ``max_bytes`` is reached (a frame is never split).

        An empty batch means: nothing new yet. A frame that is still being written is left for the next read.
        """
        numbers = segments(self.folder)
        segment, offset = split_position(start)
        batch = ReadBatch(records=[], next_position=start)
        size = 0
        for index, number in enumerate(numbers):
            if number < segment:
                continue
            if number > segment:
                segment, offset = number, 0
            last = index == len(numbers) - 1
            size += self._read_segment(number, offset, last, max_records, max_bytes - size, batch)
            if len(batch.records) >= max_records or size >= max_bytes:
                break
        return batch

    def _read_segment(self, number: int, offset: int, last: bool, max_records: int, max_bytes: int, batch: ReadBatch) -> int:
        try:
            handle = segment_path(self.folder, number).open("rb")
        except FileNotFoundError:
            return 0
        size = 0
        with handle:
            handle.seek(offset)
            while len(batch.records) < max_records and size < max_bytes:
                header = handle.read(HEADER.size)
                payload = self._payload(header, handle)
                if payload is None:
                    if last and len(header) < HEADER.size:
                        break  # nothing more yet
                    skipped = self._resync(number, offset, last)
                    if skipped == 0:
                        break  # the frame is still being written
                    batch.damaged_bytes += skipped
                    offset += skipped
                    handle.seek(offset)
                    batch.next_position = position(number, offset)
                    continue
                base = offset + HEADER.size
                count = HEADER.unpack(header)[1]
                batch.records.extend((position(number, base + at), record) for at, record in decode_payload(count, payload))
                offset = base + len(payload)
                size += len(payload)
                batch.next_position = position(number, offset)
        return size

    @staticmethod
    def _payload(header: bytes, handle: BinaryIO) -> bytes | None:
        if len(header) < HEADER.size:
            return None
        magic, count, length, crc = HEADER.unpack(header)
        if magic != MAGIC or length > MAX_FRAME_BYTES:
            return None
        payload = handle.read(length)
        return payload if len(payload) == length and checksum(count, payload) == crc else None

    def _resync(self, number: int, offset: int, last: bool) -> int:
        """Bytes from ``offset`` to the next valid frame; to the end of a segment that is closed; 0 if it may still grow."""
        data = segment_path(self.folder, number).read_bytes()
        probe = offset + 1
        while (found := data.find(MAGIC, probe)) >= 0:
            if _frame_length(data, found):
                return found - offset
            probe = found + 1
        return 0 if last else max(0, len(data) - offset)

    def release(self, done: int) -> None:
        """Remove segments that lie wholly before position ``done``; the newest stays, and what a further reader still needs."""
        needed = kept_from(self.folder)
        segment, _ = split_position(done if needed is None else min(done, needed))
        for number in segments(self.folder)[:-1]:
            if number < segment:
                with contextlib.suppress(FileNotFoundError):
                    segment_path(self.folder, number).unlink()

    def waiting_bytes(self, start: int) -> int:
        """Bytes not yet read from ``start`` on."""
        segment, offset = split_position(start)
        total = 0
        for number in segments(self.folder):
            with contextlib.suppress(FileNotFoundError):
                length = segment_path(self.folder, number).stat().st_size
                if number > segment:
                    total += length
                elif number == segment:
                    total += max(0, length - offset)
        return total
