"""Bytes → text, and the parser of last resort: a line of text without known structure."""

from __future__ import annotations

from kernel.errors import ParseError
from kernel.event import Event
from kernel.record import RawRecord

_BOM = b"\xef\xbb\xbf"


def decode(raw: bytes) -> str:
    """Text of a record: UTF-8; else GB18030 (GB 18030-2022, superset of GBK, which some devices send); else UTF-8 with U+FFFD."""
    if raw.startswith(_BOM):
        raw = raw[3:]
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        pass
    try:
        return raw.decode("gb18030")
    except UnicodeDecodeError:
        return raw.decode("utf-8", "replace")


def where(record: RawRecord) -> str:
    """``origin, offset`` for error messages."""
    return f"{record.origin}, {record.offset}" if record.offset >= 0 else record.origin


def parse(record: RawRecord) -> list[Event]:
    """One event that holds the line as ``message``; raises ParseError for an empty record."""
    text = decode(record.raw).strip("\r\n\0 ")
    if not text:
        raise ParseError(f"empty record at {where(record)}")
    return [{"event.kind": "event", "event.dataset": "generic.text", "event.original": text, "message": text}]
