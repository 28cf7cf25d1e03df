"""Search results as a file: CSV or JSON lines, written while they are read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from kernel.event import Event
from kernel.query import Query
from kernel.spreadsheet import csv_row
from kernel.store.contract import EventStore, TimeRange

MAX_ROWS = 50_000
PAGE_ROWS = 1_000
FORMATS = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}


def export(store: EventStore, query: Query, when: TimeRange, form: str, columns: Sequence[str]) -> Iterator[bytes]:
    """Chunks of the file, at most MAX_ROWS events, newest first. CSV has the given columns, JSON lines the whole event."""
    fields = list(dict.fromkeys(["@timestamp", "event.id", *columns])) if form == "csv" else ["*"]
    if form == "csv":
        yield b"\xef\xbb\xbf" + _csv_rows([fields])  # the mark makes spreadsheets read UTF-8
    cursor, left = "", MAX_ROWS
    while left > 0:
        page = store.search(query, when, limit=min(PAGE_ROWS, left), cursor=cursor, fields=fields)
        if form == "csv":
            yield _csv_rows([[_cell(event, field) for field in fields] for event in page.events])
        else:
            yield b"".join(json.dumps(event, ensure_ascii=False).encode("utf-8", "replace") + b"\n" for event in page.events)
        left -= len(page.events)
        cursor = page.cursor
        if not cursor:
            return


def _csv_rows(rows: Sequence[Sequence[str]]) -> bytes:
    return "".join(map(csv_row, rows)).encode("utf-8", "replace")


def _cell(event: Event, field: str) -> str:
    value = event.get(field, "")
    return "; ".join(map(str, value)) if isinstance(value, list) else str(value)
