"""Search results as a file: CSV or JSON lines, written while they are read; Parquet, which is made first."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import msgspec

from kernel.event import Event
from kernel.query import Query
from kernel.spreadsheet import csv_row
from kernel.store.contract import EventStore, Page, TimeRange
from kernel.store.export import export as write

MAX_ROWS = 50_000
PAGE_ROWS = 1_000
FORMATS = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson", "parquet": "application/vnd.apache.parquet"}
CHUNK = 1 << 18


def export(store: EventStore, query: Query, when: TimeRange, form: str, columns: Sequence[str]) -> Iterator[bytes]:
    """Chunks of the file, at most MAX_ROWS events, newest first. CSV has the given columns, the others the whole event."""
    if form == "parquet":
        yield from _parquet(store, query, when)
        return
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


class _Newest:
    """A store of which only the newest MAX_ROWS hits are read."""

    def __init__(self, store: EventStore) -> None:
        self._store = store
        self._left = MAX_ROWS

    def search(self, query: Query, when: TimeRange, *, limit: int, cursor: str = "", fields: Sequence[str] | None = None) -> Page:
        page = self._store.search(query, when, limit=min(limit, self._left), cursor=cursor, fields=fields)
        self._left -= len(page.events)
        return page if self._left > 0 else msgspec.structs.replace(page, cursor="")


def _parquet(store: EventStore, query: Query, when: TimeRange) -> Iterator[bytes]:
    """Columns are known when all is read, so the file is made in a private folder and then sent."""
    with tempfile.TemporaryDirectory(prefix="liandun-export-") as folder:
        path = Path(folder) / "events.parquet"
        write(cast(EventStore, _Newest(store)), query, when, path, "parquet")
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk


def _csv_rows(rows: Sequence[Sequence[str]]) -> bytes:
    return "".join(map(csv_row, rows)).encode("utf-8", "replace")


def _cell(event: Event, field: str) -> str:
    value = event.get(field, "")
    return "; ".join(map(str, value)) if isinstance(value, list) else str(value)
