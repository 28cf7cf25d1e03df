"""Lines and JSON values out of a byte stream, with bounded memory.

A line or value above the limit is skipped and reported; the rest goes on. Works on chunks, never on the whole file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final

LINE_LIMIT: Final = 1 << 20
"""Longest line (bytes) that is taken: 1 MiB."""
VALUE_LIMIT: Final = 16 << 20
"""Longest JSON value of an array or a pretty-printed file (bytes): 16 MiB."""
_READ: Final = 1 << 18

_TOKEN = re.compile(rb"\"(?:[^\"\\]++|\\.)*+(\")?|[{}\[\]]", re.DOTALL)
"""A string (group 1: its closing quote, missing where the buffer cuts it off) or a bracket."""


def lines(
    stream: BinaryIO, report: Callable[[str], None], *, limit: int = LINE_LIMIT, start: int = 0, end: int | None = None
) -> Iterator[tuple[int, bytes]]:
    """(byte offset, line without its line end) of every line; empty lines are left out.

    start, end  the stream is at ``start``; lines that begin at ``end`` or later are left to the reader of the next range
    """
    position, pending, skipping = start, b"", 0
    while chunk := stream.read(_READ):
        pieces = chunk.split(b"\n")
        for index, piece in enumerate(pieces):
            last = index == len(pieces) - 1
            if skipping:
                skipping += len(piece)
                if not last:
                    report(f"byte {position}: line of {skipping} bytes is longer than the limit of {limit}, skipped")
                    position, skipping = position + skipping + 1, 0
                continue
            if last:
                pending += piece
                if len(pending) > limit:
                    skipping, pending = len(pending), b""
                continue
            line = pending + piece if pending else piece
            pending = b""
            if len(line) > limit:
                report(f"byte {position}: line of {len(line)} bytes is longer than the limit of {limit}, skipped")
            elif line.strip():
                yield position, line.removesuffix(b"\r")
            position += len(line) + 1
            if end is not None and position >= end:
                return
    if skipping:
        report(f"byte {position}: line of {skipping} bytes is longer than the limit of {limit}, skipped")
    elif pending.strip():
        yield position, pending.removesuffix(b"\r")


def values(stream: BinaryIO, report: Callable[[str], None], *, depth: int, limit: int = VALUE_LIMIT) -> Iterator[tuple[int, bytes]]:
    """(byte offset, text) of every JSON object or array that stands at nesting ``depth``.

    depth  0 for values one after the other (pretty-printed objects), 1 for the elements of an array, 2 for those of the array in an
           object such as ``{"Records": […]}``
    """
    buffer, base = b"", 0  # base: offset of buffer[0]
    level, started, scanned, skipped = 0, -1, 0, False
    ended = False
    while not ended:
        chunk = stream.read(_READ)
        ended = not chunk
        buffer += chunk
        resume = len(buffer)
        for token in _TOKEN.finditer(buffer, scanned):
            mark = token[0]
            if mark[:1] == b'"':
                if token[1] is None:
                    resume = token.start()  # the string goes on in the next chunk
                    break
            elif mark in b"{[":
                if level == depth:
                    started = token.start()
                level += 1
            else:
                level = max(level - 1, 0)
                if level == depth and (started >= 0 or skipped):
                    if skipped:
                        report(f"byte {base + token.start()}: JSON value longer than the limit of {limit} bytes ends here, skipped")
                    else:
                        yield base + started, buffer[started : token.end()]
                    started, skipped = -1, False
        scanned = resume
        keep = started if started >= 0 else scanned
        if started >= 0 and len(buffer) - started > limit:
            started, skipped = -1, True
            keep = scanned
        if len(buffer) - keep > limit:  # a string without end
            report(f"byte {base + keep}: string longer than the limit of {limit} bytes, the rest of the file is not read")
            return
        buffer, base = buffer[keep:], base + keep
        scanned -= keep
        if started >= 0:
            started -= keep
    if started >= 0 or skipped or level > 0:
        report(f"byte {base}: the last JSON value is not complete, skipped")
