"""``liandun store``: look after the event store."""

from __future__ import annotations

import time
from pathlib import Path

import click
import orjson
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from cli.export import command as export
from cli.search import lake_path
from kernel.config import load_config
from kernel.event import timestamp_from_micros
from kernel.store.lake import Lake

_DATA = click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Data directory, default as configured.")


@click.group()
def command() -> None:
    """Verify, measure, compact and clear the event store."""


command.add_command(export)


@command.command()
@_DATA
def verify(data: Path | None) -> None:
    """Recompute the SM3 of every segment (its skip index included) and the hash chain.

    Names what was changed, is missing or was never recorded. Exit code 0: sound; 1: not, or it cannot be checked.
    """
    lake = Lake.open(lake_path(data), writable=False)
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    try:
        with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
            task = progress.add_task("checking", total=None)
            result = lake.verify(lambda done, total: progress.update(task, completed=done, total=total))
    finally:
        lake.close()
    for problem in result.problems:
        click.echo(problem)
    click.echo(f"{result.segments} segments, {result.events} events, {result.entries} chain entries; head {result.head or '-'}")
    if not result.sound:
        raise click.ClickException(
            f"the store is not what was written: {len(result.problems)} problem(s), first: {result.problems[0]}"
        )
    click.echo("sound")


@command.command()
@_DATA
def statistics(data: Path | None) -> None:
    """Events, bytes, segments, skip indexes, time span, datasets and durable counters as JSON."""
    lake = Lake.open(lake_path(data), writable=False)
    try:
        click.echo(orjson.dumps(lake.statistics() | {"counters": lake.counters()}, option=orjson.OPT_INDENT_2).decode())
    finally:
        lake.close()


@command.command()
@_DATA
@click.option("--everything", is_flag=True, help="Merge all that can be merged, not only what is due.")
def compact(data: Path | None, everything: bool) -> None:
    """Merge small segments now and give them skip indexes. The platform does it by itself while it runs; then this is refused."""
    lake = Lake.open(lake_path(data), writable=True)
    try:
        replaced = lake.compact(everything=everything)
        click.echo(f"{replaced} segments replaced, {lake.statistics()['segments']} now")
    finally:
        lake.close()


@command.command()
@_DATA
@click.option("--days", type=click.IntRange(1), help="Keep so many days, default as configured (at least 180 by law).")
def retain(data: Path | None, days: int | None) -> None:
    """Drop whole days older than the retention. Fewer than 180 days are refused unless the platform is configured as a demo."""
    config = load_config()
    lake = Lake.open(lake_path(data), writable=True, demo=config.platform.demo)
    try:
        wanted = days if days is not None else config.store.retention_days
        dropped = lake.retain(wanted, timestamp_from_micros(time.time_ns() // 1000))
        click.echo(f"{dropped} events older than {wanted} days dropped")
    finally:
        lake.close()


@command.command()
@_DATA
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 100_000))
@click.option("--raw", is_flag=True, help="Print whole records (bytes that are no text escaped) instead of one line each.")
def quarantine(data: Path | None, limit: int, raw: bool) -> None:
    """Show records that could not be understood, newest first, with the reason."""
    lake = Lake.open(lake_path(data), writable=False)
    try:
        records = lake.quarantine(limit=limit)
    finally:
        lake.close()
    for record in records:
        text = record.raw.decode("utf-8", "backslashreplace")
        shown = text if raw else text[:120]
        printable = "".join(c if c.isprintable() or (raw and c in "\n\t") else "�" for c in shown)
        click.echo(f"{record.time}  {record.source}  {record.origin}\n    {record.reason}\n    {printable}")
    if not records:
        click.echo("nothing in quarantine")
