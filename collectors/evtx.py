"""Windows event log files (.evtx) → raw records.

Decoding is the work of the ``evtx`` library (Rust, MIT/Apache-2.0). It is given one 64 KiB chunk at a time behind a file header of
our own, so a damaged file header, a torn or zeroed chunk or a cut-off file costs only what is really gone, memory stays bounded,
and every loss can be counted: the chunk header says how many records it holds.

File layout: libyal libevtx, "Windows XML Event Log (EVTX) format", sections 2 and 3.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final

from evtx import PyEvtxParser

from kernel.errors import ParseError

FILE_MAGIC: Final = b"ElfFile\0"
CHUNK_MAGIC: Final = b"ElfChnk\0"
HEADER_SIZE: Final = 4096
CHUNK_SIZE: Final = 65536
RECORDS_PER_CHUNK: Final = 4096
"""More than a chunk can hold: the smallest record (signature, size, id, time, size) has 28 bytes."""
_RECORD_OVERHEAD: Final = 28

_OWN_HEADER: Final = (
    # magic, first chunk, last chunk, next record, header size, minor, major, header block size, chunks, unused, flags, checksum
    struct.pack("<8sQQQIHHHH76sII", FILE_MAGIC, 0, 0, 1, 128, 1, 3, HEADER_SIZE, 1, b"", 0, 0).ljust(HEADER_SIZE, b"\0")
)


def evtx_records(
    stream: BinaryIO, name: str, report: Callable[[str], None], *, first_chunk: int = 0
) -> Iterator[tuple[int, bytes]]:
    """(number, JSON of one event) of every record that can be read, in file order.

    stream       the file from its start (or, for ``first_chunk`` > 0, from that chunk), read to its end without seeking
    name         for messages
    report       takes one line for each piece that cannot be read: where, how much is lost, why
    first_chunk  number of the chunk at which the stream stands, so that a large file can be shared out

    The number is chunk * 4096 + place in the chunk: it grows strictly and does not depend on where reading began.
    Raises ParseError if nothing in it is an event log.
    """
    whole = True
    if first_chunk == 0:
        header = _read_fully(stream, HEADER_SIZE)
        whole = header.startswith(FILE_MAGIC) and len(header) == HEADER_SIZE
    index, chunks, damaged_from = first_chunk - 1, 0, -1
    while chunk := _read_fully(stream, CHUNK_SIZE):
        index += 1
        if not chunk.startswith(CHUNK_MAGIC):
            if any(chunk) and damaged_from < 0:
                damaged_from = index
            continue
        if chunks == 0 and not whole:
            report(f"{name}: EVTX file header is damaged; the chunks behind it were read")
        if damaged_from >= 0:
            _report_damage(name, damaged_from, index, report)
            damaged_from = -1
        chunks += 1
        yield from _counted_records(chunk, index, name, report)
    if not whole and chunks == 0:
        raise ParseError(f"{name} is not a Windows event log", "no EVTX file header and no chunk found")
    if damaged_from >= 0:
        _report_damage(name, damaged_from, index + 1, report)


def _report_damage(name: str, first: int, end: int, report: Callable[[str], None]) -> None:
    report(f"{name}: byte {HEADER_SIZE + first * CHUNK_SIZE}: damaged chunk header, {(end - first) * 64} KiB skipped")


def _counted_records(chunk: bytes, index: int, name: str, report: Callable[[str], None]) -> Iterator[tuple[int, bytes]]:
    expected, got = _record_count(chunk), 0
    trouble = f"cut off after {len(chunk)} of {CHUNK_SIZE} bytes" if len(chunk) < CHUNK_SIZE else ""
    for record in _chunk_records(chunk.ljust(CHUNK_SIZE, b"\0")):
        if isinstance(record, str):
            trouble = trouble or record
            continue
        yield index * RECORDS_PER_CHUNK + got, record
        got += 1
    position = HEADER_SIZE + index * CHUNK_SIZE
    if got < expected:
        report(f"{name}: byte {position}: {expected - got} of {expected} records lost: {trouble or 'damaged records'}")
    elif trouble:
        report(f"{name}: byte {position}: {trouble}")


def _read_fully(stream: BinaryIO, size: int) -> bytes:
    parts: list[bytes] = []
    while size > 0 and (part := stream.read(size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _record_count(chunk: bytes) -> int:
    """Records that the chunk header claims; 0 where its numbers cannot be true."""
    if len(chunk) < 24:
        return 0
    first, last = struct.unpack_from("<QQ", chunk, 8)
    count: int = last - first + 1
    return count if 0 < count <= CHUNK_SIZE // _RECORD_OVERHEAD else 0


def _chunk_records(chunk: bytes) -> Iterator[bytes | str]:
    """JSON of the records of one chunk; a str is the reason why something could not be read."""
    try:
        records = iter(PyEvtxParser(io.BytesIO(_OWN_HEADER + chunk), number_of_threads=1).records_json())
    except (OSError, RuntimeError, ValueError) as error:
        yield _first_line(error)
        return
    seen: set[int] = set()
    failures = 0
    while True:
        try:
            record = next(records)
        except StopIteration:
            return
        except (OSError, RuntimeError, ValueError) as error:
            failures += 1
            yield _first_line(error)
            if failures > CHUNK_SIZE // _RECORD_OVERHEAD:
                return
            continue
        except BaseException as error:
            if type(error).__name__ != "PanicException":  # a panic inside Rust, raised by PyO3
                raise
            yield f"the EVTX library gave up: {_first_line(error)}"
            return
        if record is None:  # the library's types allow it; it does not happen
            continue
        identifier = record["event_record_id"]
        if identifier in seen:
            continue
        seen.add(identifier)
        yield record["data"].encode()


def _first_line(error: BaseException) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
