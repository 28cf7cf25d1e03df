"""Hits of a query into a file: JSON lines, CSV or Parquet, millions of events in constant memory.

The file appears whole or not at all (written beside its place, synced, renamed). Beside it stands ``<file>.manifest.json``, one
line: what was asked, how many events it holds and the SM3 of its content, so that it can be handed over as evidence.

Every engine gives its hits page by page; one that has ``scan`` gives them faster, in its own order.
"""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Literal

import msgspec
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from crypto.sm3 import sm3_hasher
from kernel.ecs_fields import FIELD_TYPES
from kernel.errors import QueryError, StoreError
from kernel.event import Event
from kernel.query import Query
from kernel.query.tree import Fields
from kernel.spreadsheet import csv_row
from kernel.store.contract import EventStore, TimeRange
from kernel.store.pages import PAGE, pages_of

Format = Literal["jsonl", "csv", "parquet"]
ALL = ("*",)
MISFITS = "liandun.misfits"
_CHUNK = 1 << 20
_ARROW = {"long": pa.int64(), "float": pa.float64(), "boolean": pa.bool_()}


class Manifest(msgspec.Struct):
    """What is in an export. ``damaged`` names parts of the store that could not be read: then the export lacks what they hold.

    misfits  Parquet: number of values by field that their column cannot hold and that stand in the column ``MISFITS`` instead
    """

    file: str
    format: str
    query: str
    start: str
    end: str
    fields: list[str]
    rows: int
    bytes: int
    sm3: str
    damaged: list[str] = []
    misfits: dict[str, int] = {}


def export(
    store: EventStore,
    query: Query,
    when: TimeRange,
    path: Path,
    form: Format,
    fields: Sequence[str] = ALL,
    progress: Callable[[int], None] = lambda rows: None,
) -> Manifest:
    """Write the hits; returns what the manifest says. Raises QueryError, StoreError; then there is no file.

    fields    columns in this order; ``*`` = all: in CSV and Parquet one column for each field that occurs
    progress  is told the number of events written so far
    """
    if any(not isinstance(pipe, Fields) for pipe in query.pipes):
        raise QueryError("only events can be exported", "leave out | top, | histogram, | count and | sort")
    fields = query.fields or fields
    damaged: set[str] = set()
    misfits: Counter[str] = Counter()
    part = path.with_name(path.name + ".part")
    spool = path.with_name(path.name + ".spool")
    try:
        events = _told(pages_of(store, query, when, fields, damaged), progress)
        with part.open("wb") as file:
            if form == "jsonl":
                rows = _write_lines(events, file)
            elif "*" in fields:
                rows, fields = _spooled(events, spool)
                _write(_read_lines(spool), fields, form, file, misfits)
            else:
                rows = _write(events, fields, form, file, misfits)
            file.flush()
            os.fsync(file.fileno())
        manifest = Manifest(
            file=path.name,
            format=form,
            query=query.text,
            start=when.start,
            end=when.end,
            fields=list(fields),
            rows=rows,
            bytes=part.stat().st_size,
            sm3=_sm3(part),
            damaged=sorted(damaged),
            misfits=dict(sorted(misfits.items())),
        )
        part.replace(path)
        path.with_name(path.name + ".manifest.json").write_bytes(msgspec.json.encode(manifest) + b"\n")
    except OSError as error:
        raise StoreError(f"cannot write {path}: {error.strerror or error}", "check the folder and its free space") from error
    finally:
        for leftover in (part, spool):
            with contextlib.suppress(OSError):
                leftover.unlink(missing_ok=True)
    return manifest


def _told(pages: Iterable[Sequence[Event]], progress: Callable[[int], None]) -> Iterator[Sequence[Event]]:
    rows = 0
    for page in pages:
        yield page
        rows += len(page)
        progress(rows)


def _write_lines(pages: Iterable[Sequence[Event]], file: IO[bytes]) -> int:
    rows = 0
    for page in pages:
        file.writelines(orjson.dumps(event, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE) for event in page)
        rows += len(page)
    return rows


def _spooled(pages: Iterable[Sequence[Event]], spool: Path) -> tuple[int, list[str]]:
    """All hits into a scratch file, so that the fields that occur are known before the first line of the result."""
    names: set[str] = set()
    rows = 0
    with spool.open("wb") as file:
        for page in pages:
            names.update(*page)
            file.writelines(orjson.dumps(event, option=orjson.OPT_APPEND_NEWLINE) for event in page)
            rows += len(page)
    return rows, sorted(names, key=lambda name: (name != "@timestamp", name))


def _read_lines(spool: Path) -> Iterator[Sequence[Event]]:
    with spool.open("rb") as file:
        page: list[Event] = []
        for line in file:
            page.append(orjson.loads(line))
            if len(page) == PAGE:
                yield page
                page = []
        yield page


def _write(pages: Iterable[Sequence[Event]], fields: Sequence[str], form: Format, file: IO[bytes], misfits: Counter[str]) -> int:
    return _write_csv(pages, fields, file) if form == "csv" else _write_parquet(pages, fields, file, misfits)


# CSV


def _write_csv(pages: Iterable[Sequence[Event]], fields: Sequence[str], file: IO[bytes]) -> int:
    file.write(csv_row(fields).encode())
    rows = 0
    for page in pages:
        file.writelines(csv_row([cell(event.get(name)) for name in fields]).encode() for event in page)
        rows += len(page)
    return rows


def cell(value: Any) -> str:
    """A value as the text of a table cell."""
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


# Parquet


def _write_parquet(pages: Iterable[Sequence[Event]], fields: Sequence[str], file: IO[bytes], misfits: Counter[str]) -> int:
    """``@timestamp`` is a moment, ECS numbers and booleans are such, else text, lists as JSON.

    A value that its column cannot hold (a text or a list in a number field) is null there, counted in ``misfits``, and stands in
    the last column ``MISFITS``: a JSON object, field → value, of the event's misfits.
    """
    typed = pa.schema([(name, _arrow_type(name)) for name in dict.fromkeys(fields) if name != MISFITS])
    schema = typed.append(pa.field(MISFITS, pa.string()))
    rows = 0
    with pq.ParquetWriter(file, schema, compression="zstd", write_page_checksum=True) as writer:
        for page in pages:
            if page:
                columns, odd = _columns(page, typed)
                misfits.update(name for row in odd for name in row)
                columns.append(pa.array([orjson.dumps(row) if row else None for row in odd], pa.string()))
                writer.write_table(pa.table(columns, schema=schema))
            rows += len(page)
    return rows


def _columns(page: Sequence[Event], schema: Any) -> tuple[list[Any], list[Event]]:
    """The columns, and what each event has that they cannot hold."""
    odd: list[Event] = [{} for _ in page]
    columns = []
    for field in schema:
        values = [event.get(field.name) for event in page]
        held = [_parquet_value(value, field.type) for value in values]
        for row, (value, kept) in enumerate(zip(values, held, strict=True)):
            if kept is None and value is not None:
                odd[row][field.name] = value
        columns.append(pa.array(held, field.type))
    return columns, odd


def _arrow_type(field: str) -> Any:
    if field == "@timestamp":
        return pa.timestamp("us", "UTC")
    return _ARROW.get(FIELD_TYPES.get(field, ""), pa.string())


def _parquet_value(value: Any, kind: Any) -> Any:
    if value is None:
        return None
    if pa.types.is_timestamp(kind):
        return datetime.fromisoformat(value)
    if pa.types.is_string(kind):
        if isinstance(value, str):
            return value
        return orjson.dumps(value).decode() if isinstance(value, list) else cell(value)
    if pa.types.is_boolean(kind):
        return value if isinstance(value, bool) else None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if pa.types.is_integer(kind):
        return value if isinstance(value, int) and -(1 << 63) <= value < 1 << 63 else None
    return float(value) if float(value) == value else None


def _sm3(path: Path) -> str:
    hasher = sm3_hasher()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            hasher.update(chunk)
    return hasher.hexdigest()
