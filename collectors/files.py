"""Log files on disk → raw records: what a file is, and how to read it without trusting it.

Content decides before the name does. Compressed files are unpacked as a stream under limits; nothing is written to disk. Whatever
cannot be read is reported with file, place and reason, and the rest goes on.
"""

from __future__ import annotations

import codecs
import gzip
import itertools
import re
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO, Final, cast

import orjson

from collectors.evtx import CHUNK_MAGIC, CHUNK_SIZE, FILE_MAGIC, HEADER_SIZE, evtx_records
from collectors.jsonlines import LINE_LIMIT, lines, values
from collectors.parsers import auditd, web_access
from collectors.suricata import SuricataMissing, pcap_records
from kernel.errors import ParseError
from kernel.record import RawRecord

SUFFIXES: Final = (".evtx", ".json", ".jsonl", ".ndjson", ".log", ".txt", ".xml", ".pcap", ".pcapng", ".cap")
"""Names that are read when a folder is given (each also with .gz, and inside .zip)."""
PCAP_SUFFIXES: Final = (".pcap", ".pcapng", ".cap")
_PCAP_MAGIC: Final = (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d", b"\x0a\x0d\x0d\x0a")

MAX_MEMBERS: Final = 10_000
"""Files read from one zip archive."""
RATIO_FREE: Final = 64 << 20
"""Unpacked bytes that are allowed whatever the ratio."""
MAX_RATIO: Final = 400
"""Unpacked to packed size at which a file counts as a bomb (logs reach about 100)."""
_HEAD: Final = 65536
_LOOKED_AT: Final = 50
"""Lines by which one object a line is told from an object over many lines."""
_YEAR_2000: Final = 946_684_800

_FIRST_ELEMENT = re.compile(rb"\s*(?:\[|\{\s*\"(?:Records|records|value|events|Events|logs)\"\s*:\s*\[)\s*(?:[\[{\]]|$)")
_SYSLOG_START = re.compile(
    rb"<\d{1,3}>|[A-Z][a-z]{2} +\d{1,2} +(?:\d{4} +)?\d\d:\d\d:\d\d|\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d"
    rb"|%%\d\d|CEF:|LEEF:|id=tos|<Event[ >]"
)

Report = Callable[[str], None]
Span = tuple[int, int]
"""Bytes [start, end) of a file that one reader takes."""


class Bomb(ParseError):
    """A compressed file that unpacks to far more than logs do."""


def is_readable(path: Path) -> bool:
    """True if the name is one that :func:`read_records` takes from a folder."""
    name = path.name.lower().removesuffix(".gz")
    return name.endswith(SUFFIXES) or path.name.lower().endswith(".zip")


def is_pcap(path: Path) -> bool:
    """True for packet captures (by name)."""
    return path.name.lower().removesuffix(".gz").endswith(PCAP_SUFFIXES)


def find_files(path: Path) -> Iterator[Path]:
    """The file itself, or every readable file below the folder, in the order of their names; links to folders are not followed."""
    if not path.is_dir():
        yield path
        return
    for entry in sorted(path.iterdir(), key=lambda one: one.name):
        if entry.is_dir():
            if not entry.is_symlink():
                yield from find_files(entry)
        elif entry.is_file() and is_readable(entry):
            yield entry


def spans(path: Path, size: int) -> list[Span]:
    """The file shared out in pieces of about ``size`` bytes that can be read by themselves; one piece where that cannot be done."""
    length = path.stat().st_size
    whole = [(0, length)]
    if length <= size or is_pcap(path) or path.name.lower().endswith((".gz", ".zip")):
        return whole
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head.startswith(FILE_MAGIC):
        step = max(size // CHUNK_SIZE, 1) * CHUNK_SIZE
        cuts = [0, *range(HEADER_SIZE + step, length, step), length]
    elif _binary_kind(head) or _json_depth(head) is not None or b"#Fields:" in head:
        return whole
    else:
        cuts = [*range(0, length, size), length]
    return list(itertools.pairwise(cuts))


def read_records(path: Path, report: Report, *, span: Span | None = None) -> Iterator[RawRecord]:
    """Every record of a file, or those that begin in one of its :func:`spans`.

    path    .evtx, .json, .jsonl, .ndjson, .log, .txt, each plain, .gz or in .zip; .pcap, .pcapng
    report  takes one line per piece that cannot be read (file, place, reason)

    ``stream`` is the file's fingerprint, ``offset`` the byte offset of the line or the record's number. ``received`` is the file's
    time of last change, from which parsers infer missing years. Raises OSError if the file cannot be opened at all.
    """
    received = _changed(path)
    if path.name.lower().endswith(".zip"):
        yield from _zip_records(path, received, report)
        return
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head:
        report(f"{path}: empty file")
        return
    if is_pcap(path) or head.startswith(_PCAP_MAGIC):
        try:
            yield from pcap_records(path, report)
        except (SuricataMissing, ParseError) as error:
            report(f"{path}: {error}")
        return
    stream_id = fingerprint(path)
    with path.open("rb") as file:
        if span is not None and span != (0, path.stat().st_size):
            yield from _span_records(file, span, head, str(path), stream_id, received, report)
            return
        source: BinaryIO = file
        if head.startswith(b"\x1f\x8b"):
            source = cast(BinaryIO, gzip.GzipFile(fileobj=file))
        yield from _guarded(source, str(path), stream_id, received, report, _packed_size(path, head))


def fingerprint(path: Path) -> str:
    """``file:`` and a digest of size, first and last 64 KiB: the same for a copy, another for another file."""
    size = path.stat().st_size
    digest = blake2b(str(size).encode(), digest_size=16)
    with path.open("rb") as file:
        digest.update(file.read(_HEAD))
        if size > _HEAD:
            file.seek(max(size - _HEAD, _HEAD))
            digest.update(file.read(_HEAD))
    return f"file:{digest.hexdigest()}"


def line_format(line: bytes) -> str:
    """Parser name for one line of a text log: json, auditd, web-access, syslog or text."""
    stripped = line.lstrip(b"\xef\xbb\xbf \t")
    if stripped.startswith(b"{"):
        return "json"
    text = stripped[:4096].decode("utf-8", "replace")
    if auditd.looks_like(text):
        return "auditd"
    if _SYSLOG_START.match(stripped) is None or stripped[:1].isdigit():
        if web_access.looks_like(text):
            return "web-access"
        if _SYSLOG_START.match(stripped) is None:
            return "text"
    return "syslog"


def _guarded(source: BinaryIO, name: str, stream_id: str, received: int, report: Report, packed: int | None) -> Iterator[RawRecord]:
    """Records of an opened file; damage of the compression ends the file, not the run."""
    limited = source if packed is None else cast(BinaryIO, _Limited(source, packed, name))
    try:
        yield from _content(limited, name, stream_id, received, report)
    except Bomb as error:
        report(str(error))
    except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile, NotImplementedError) as error:
        report(f"{name}: compressed data is damaged ({error}); what came before it was read")
    except ParseError as error:
        report(str(error))


def _span_records(
    file: BinaryIO, span: Span, head: bytes, name: str, stream_id: str, received: int, report: Report
) -> Iterator[RawRecord]:
    start, end = span
    file.seek(start)
    if head.startswith(FILE_MAGIC):
        piece = cast(BinaryIO, _Limited(file, end - start, name, cut=True))
        first = (start - HEADER_SIZE) // CHUNK_SIZE if start else 0
        for number, raw in evtx_records(piece, name, report, first_chunk=first):
            yield RawRecord("file", "evtx", received, name, raw, stream_id, number)
        return
    if start:
        file.seek(start - 1)
        while (rest := file.readline(LINE_LIMIT)) and not rest.endswith(b"\n"):
            pass  # the line that began in the piece before
        start = file.tell()
    if start < end:
        yield from _line_records(file, head, name, stream_id, received, report, start, end)


def _content(source: BinaryIO, name: str, stream_id: str, received: int, report: Report) -> Iterator[RawRecord]:
    head = _read_head(source)
    stream = cast(BinaryIO, _Rewound(head, source))
    low = name.lower().removesuffix(".gz")
    if head.startswith(FILE_MAGIC) or low.endswith(".evtx") or head[4096:4104] == CHUNK_MAGIC:
        for number, raw in evtx_records(stream, name, report):
            yield RawRecord("file", "evtx", received, name, raw, stream_id, number)
        return
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        stream = cast(BinaryIO, _Utf8(stream))
        head = head.decode("utf-16", "replace").encode()
    elif _binary_kind(head):
        report(f"{name}: binary data, not a log (byte {head.index(0)} is NUL); file skipped")
        return
    yield from _text_records(stream, head, name, stream_id, received, report)


def _text_records(stream: BinaryIO, head: bytes, name: str, stream_id: str, received: int, report: Report) -> Iterator[RawRecord]:
    depth = _json_depth(head)
    if depth is None:
        yield from _line_records(stream, head, name, stream_id, received, report, 0, None)
        return
    for offset, value in values(stream, lambda place: report(f"{name}: {place}"), depth=depth):
        yield RawRecord("file", "json", received, name, value, stream_id, offset)


def _line_records(
    stream: BinaryIO, head: bytes, name: str, stream_id: str, received: int, report: Report, start: int, end: int | None
) -> Iterator[RawRecord]:
    is_json = head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{")
    directive = b""
    for offset, line in lines(stream, lambda place: report(f"{name}: {place}"), start=start, end=end):
        if line.startswith(b"#") and not is_json:
            if line.startswith(b"#Fields:"):
                directive = line
            continue
        if directive:
            yield RawRecord("file", "web-access", received, name, directive + b"\n" + line, stream_id, offset)
            continue
        kind = "json" if is_json and line.lstrip().startswith(b"{") else line_format(line)
        if is_json and kind == "text":
            kind = "json"  # so that it is refused by name instead of passing as text
        yield RawRecord("file", kind, received, name, line, stream_id, offset)


def _json_depth(head: bytes) -> int | None:
    """Nesting at which a JSON file's records stand; None for one value a line or for text that is no JSON."""
    body = head.removeprefix(b"\xef\xbb\xbf")
    match = _FIRST_ELEMENT.match(body)
    if match is not None and not _one_a_line(body):
        return 1 if body.lstrip().startswith(b"[") else 2
    stripped = body.lstrip()
    if not stripped.startswith(b"{"):
        return None
    first, *others = (line.strip() for line in stripped.split(b"\n", _LOOKED_AT)[:_LOOKED_AT])
    opened = first.count(b"{") > first.count(b"}") and len(first) < 1024 and not first.endswith(b"}")
    return 0 if opened and not any(line.startswith(b"{") and line.endswith(b"}") for line in others) else None


def _one_a_line(body: bytes) -> bool:
    """True if the first line is a whole JSON object and another follows."""
    first, _, rest = body.lstrip().partition(b"\n")
    if not rest.lstrip().startswith(b"{") or not first.startswith(b"{"):
        return False
    try:
        orjson.loads(first)
    except orjson.JSONDecodeError:
        return False
    return True


def _binary_kind(head: bytes) -> bool:
    """True for bytes that are no text: NUL and many other control characters."""
    sample = head[:4096]
    if b"\0" not in sample:
        return False
    odd = sum(byte < 9 or 13 < byte < 27 for byte in sample)
    return odd > len(sample) // 50


def _zip_records(path: Path, received: int, report: Report) -> Iterator[RawRecord]:
    stream_id = fingerprint(path)
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, OSError) as error:
        report(f"{path}: zip archive is damaged: {error}")
        return
    with archive:
        members = [member for member in archive.infolist() if not member.is_dir() and not member.filename.startswith("__MACOSX/")]
        if len(members) > MAX_MEMBERS:
            report(f"{path}: {len(members)} members, only the first {MAX_MEMBERS} are read")
        for member in members[:MAX_MEMBERS]:
            name = f"{path}!{member.filename}"
            if not is_readable(Path(member.filename)) or member.filename.lower().endswith(".zip"):
                continue
            if member.flag_bits & 1:
                report(f"{name}: encrypted, skipped")
                continue
            if is_pcap(Path(member.filename)):
                report(f"{name}: packet captures inside zip archives are not read; unpack it first")
                continue
            try:
                with archive.open(member) as unpacked:
                    source: BinaryIO = cast(BinaryIO, unpacked)
                    if member.filename.lower().endswith(".gz"):
                        source = cast(BinaryIO, gzip.GzipFile(fileobj=unpacked))
                    key = f"{stream_id}!{member.filename}"
                    yield from _guarded(source, name, key, received, report, max(member.compress_size, 1))
            except (zipfile.BadZipFile, NotImplementedError, RuntimeError, zlib.error, EOFError) as error:
                report(f"{name}: cannot be unpacked: {error}")


def _changed(path: Path) -> int:
    """Time of last change in microseconds; now, where the file claims a time that cannot be true."""
    now = time.time()
    changed = path.stat().st_mtime
    return int((changed if _YEAR_2000 < changed <= now else now) * 1_000_000)


def _packed_size(path: Path, head: bytes) -> int | None:
    return path.stat().st_size if head.startswith(b"\x1f\x8b") else None


def _read_head(source: BinaryIO) -> bytes:
    parts: list[bytes] = []
    missing = _HEAD
    while missing > 0 and (part := source.read(missing)):
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


class _Limited:
    """Stops an unpacked stream that grows far beyond its packed size; with ``cut``, simply ends after ``packed`` bytes."""

    def __init__(self, inner: BinaryIO, packed: int, name: str, *, cut: bool = False) -> None:
        self._inner, self._name, self._cut, self._seen = inner, name, cut, 0
        self._limit = packed if cut else max(RATIO_FREE, packed * MAX_RATIO)

    def read(self, size: int = -1) -> bytes:
        if self._cut:
            size = self._limit - self._seen if size < 0 else min(size, self._limit - self._seen)
        data = self._inner.read(size)
        self._seen += len(data)
        if self._seen > self._limit:
            raise Bomb(
                f"{self._name}: unpacks to more than {self._limit >> 20} MiB, over {MAX_RATIO} times its size: "
                "taken for a compression bomb, reading stopped"
            )
        return data


class _Rewound:
    """A stream with its already read head put back."""

    def __init__(self, head: bytes, rest: BinaryIO) -> None:
        self._head, self._rest = head, rest

    def read(self, size: int = -1) -> bytes:
        if self._head:
            size = len(self._head) if size < 0 else size
            part, self._head = self._head[:size], self._head[size:]
            return part
        return self._rest.read(size)


class _Utf8:
    """UTF-16 (as PowerShell writes) read as UTF-8; broken pairs become U+FFFD."""

    def __init__(self, inner: BinaryIO) -> None:
        self._inner = inner
        self._decoder = codecs.getincrementaldecoder("utf-16")("replace")

    def read(self, size: int = -1) -> bytes:
        while data := self._inner.read(size):
            text = self._decoder.decode(data)
            if text:
                return text.encode("utf-8", "replace")
        return self._decoder.decode(b"", True).encode("utf-8", "replace")
