"""What stands behind ``|``: top, histogram, count, fields, sort."""

from __future__ import annotations

import re

from kernel.errors import QueryError
from kernel.query.tree import Count, Fields, Histogram, Pipe, Sort, Top

MAX_TOP = 1000
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_NAME = re.compile(r"[\w@$#./-]+")
_HINT = "top FIELD [N], histogram [5m], count, fields A, B or sort FIELD [asc|desc]"


def parse_pipes(text: str, start: int) -> tuple[Pipe, ...]:
    """The pipes of a query, of which the first ``|`` stands at ``start`` (or its end). Raises QueryError."""
    pipes = []
    while start < len(text):
        end = text.find("|", start + 1)
        end = len(text) if end < 0 else end
        pipes.append(_parse_pipe(text[start + 1 : end], start + 1))
        start = end
    return tuple(pipes)


def _parse_pipe(text: str, start: int) -> Pipe:
    words = text.replace(",", " ").split()
    if not words:
        raise QueryError("nothing stands behind '|'", _HINT, start)
    name, arguments = words[0].lower(), words[1:]
    for argument in arguments:
        if not _NAME.fullmatch(argument):
            raise QueryError(f"{argument!r} is no field name", _HINT, start + text.find(argument))
    if name == "top" and len(arguments) in (1, 2):
        return Top(arguments[0], _limit(arguments[1], start) if len(arguments) == 2 else 10)
    if name == "histogram" and len(arguments) <= 1:
        return Histogram(_seconds(arguments[0], start) if arguments else 0)
    if name == "count" and not arguments:
        return Count()
    if name == "fields" and arguments:
        return Fields(tuple(arguments))
    if name == "sort" and len(arguments) in (1, 2):
        direction = arguments[1].lower() if len(arguments) == 2 else "asc"
        if direction in ("asc", "desc"):
            return Sort(arguments[0], direction == "desc")
    raise QueryError(f"{text.strip()!r} is not understood behind '|'", _HINT, start)


def _limit(text: str, start: int) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MAX_TOP:
        raise QueryError(f"{text!r} is no number of rows", f"1 to {MAX_TOP}", start)
    return int(text)


def _seconds(text: str, start: int) -> int:
    match = re.fullmatch(r"(\d{1,6})([smhdw])", text, re.ASCII)
    if match is None or int(match[1]) == 0:
        raise QueryError(f"{text!r} is no interval", "a number and s, m, h, d or w: 5m, 1h, 1d", start)
    return int(match[1]) * _UNITS[match[2]]
