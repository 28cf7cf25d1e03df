"""``liandun search``: ask the event store from the command line."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click
import orjson

from cli.data_directory import config_of
from cli.terminal import print_lines
from kernel.errors import QueryError
from kernel.event import Event, parse_timestamp, timestamp_from_micros
from kernel.query import Query, parse_query
from kernel.spreadsheet import csv_row
from kernel.store.answer import Answer, answer
from kernel.store.contract import Bucket, EventStore, TimeRange
from kernel.store.export import cell
from kernel.store.open import open_store

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_TABLE_FIELDS = ("@timestamp", "event.dataset", "host.name", "user.name", "source.ip", "destination.ip", "process.name", "message")
_PAGE = 5_000
_PATIENCE_SECONDS = 3_600.0  # Ctrl-C is there for who has less


@click.command()
@click.argument("query", default="*")
@click.option("--last", metavar="24h", help="Only the last 30s, 15m, 24h, 7d, 4w.")
@click.option(
    "--from", "start", metavar="TIME", help="From this time on (2026-11-23, 2026-11-23T08:00:00+08:00; without zone: UTC)."
)
@click.option("--to", "end", metavar="TIME", help="Before this time.")
@click.option(
    "--limit", default=100, show_default=True, type=click.IntRange(1, 10_000_000), help="At most so many events, newest first."
)
@click.option("--format", "form", type=click.Choice(["table", "jsonl", "csv"]), default="table", show_default=True)
@click.option("--fields", metavar="A,B", help="Fields to show; * for all (jsonl shows all by itself).")
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Data directory, default as configured.")
def command(
    query: str, last: str | None, start: str | None, end: str | None, limit: int, form: str, fields: str | None, data: Path | None
) -> None:
    """Search the stored events.

    QUERY for example: process.name:powershell.exe AND destination.ip:10.0.0.0/8 AND NOT user.name:svc_*, also with
    | top FIELD [N], | histogram [5m], | count, | fields A, B, | sort FIELD [desc]. See docs/query-language.md.
    """
    asked = parsed(query)
    when = time_range(last, start, end)
    store = open_store(config_of(data), writable=False, patience=_PATIENCE_SECONDS)
    try:
        names = tuple(name.strip() for name in fields.split(",") if name.strip()) if fields else None
        if names is None and asked.fields is None:
            names = ("*",) if form == "jsonl" else _TABLE_FIELDS
        result = answer(store, asked, when, limit=min(limit, _PAGE), fields=names)
        if result.page is None:
            _print_buckets(result, form)
            return
        _print_events(_all_events(store, asked, when, limit, result), result.columns or _TABLE_FIELDS, form)
        damaged = store.statistics()["damaged"]
        if damaged:
            raise click.ClickException(f"not searched, because damaged: {', '.join(sorted(damaged))} (see ./liandun store verify)")
    finally:
        store.close()


def parsed(query: str) -> Query:
    """The query, or click.ClickException that points at the mistake."""
    try:
        return parse_query(query)
    except QueryError as error:
        shown = " ".join(query.split("\n"))
        raise click.ClickException(f"{error}\n  {shown}\n  {' ' * error.position}^") from error


def time_range(last: str | None, start: str | None, end: str | None) -> TimeRange:
    """Raises click.UsageError for what is no time."""
    if last:
        match = re.fullmatch(r"(\d{1,6})([smhdw])", last)
        if match is None or start or end:
            raise click.UsageError("--last takes 30s, 15m, 24h, 7d or 4w, and neither --from nor --to")
        return TimeRange(timestamp_from_micros(time.time_ns() // 1000 - int(match[1]) * _SECONDS[match[2]] * 1_000_000))
    return TimeRange(_moment("--from", start), _moment("--to", end))


def _moment(option: str, text: str | None) -> str:
    if not text:
        return ""
    moment = parse_timestamp(f"{text}T00:00:00" if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else text)
    if moment is None:
        raise click.UsageError(f"{option} {text!r} is no time; write 2026-11-23 or 2026-11-23T08:00:00+08:00")
    return moment


def _all_events(store: EventStore, query: Any, when: TimeRange, limit: int, first: Answer) -> Iterable[Event]:
    """The hits page by page, so that a large export does not stand in memory."""
    page, left = first.page, limit
    while page is not None:
        yield from page.events[:left]
        left -= len(page.events)
        if left <= 0 or not page.cursor:
            return
        page = store.search(query, when, limit=min(left, _PAGE), cursor=page.cursor, fields=first.columns)


def _print_events(events: Iterable[Event], names: Sequence[str], form: str) -> None:
    if form == "jsonl":
        for event in events:
            sys.stdout.write(orjson.dumps(event, option=orjson.OPT_SORT_KEYS).decode() + "\n")
        return
    if "*" in names:
        rows = list(events)
        names = sorted({name for event in rows for name in event}, key=lambda name: (name != "@timestamp", name))
        events = rows
    if form == "csv":
        sys.stdout.write(csv_row(names))
        for event in events:
            sys.stdout.write(csv_row([cell(event.get(name)) for name in names]))
        return
    _print_table(names, ([cell(event.get(name)) for name in names] for event in events))


def _print_buckets(result: Answer, form: str) -> None:
    if result.kind == "count":
        click.echo(
            orjson.dumps({"count": result.total}).decode()
            if form == "jsonl"
            else f"count\r\n{result.total}"
            if form == "csv"
            else result.total
        )
        return
    name = result.field or "@timestamp"
    if form == "jsonl":
        for bucket in result.buckets:
            click.echo(orjson.dumps({name: bucket.key, "count": bucket.count}).decode())
    elif form == "csv":
        sys.stdout.write(csv_row([name, "count"]))
        for bucket in result.buckets:
            sys.stdout.write(csv_row([cell(bucket.key), str(bucket.count)]))
    else:
        _print_table([name, "count", ""], ([cell(b.key), str(b.count), _bar(b, result.buckets)] for b in result.buckets))


def _bar(bucket: Bucket, buckets: Sequence[Bucket]) -> str:
    most = max(b.count for b in buckets) or 1
    return "█" * round(30 * bucket.count / most)


def _print_table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    shown = print_lines(names, rows, right=("count",))
    click.echo(f"{shown} row{'' if shown == 1 else 's'}", err=True)
