"""``liandun store``: look after the event store."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import orjson
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from cli.data_directory import config_of
from cli.export import command as export
from cli.terminal import visible
from kernel.config import Config, load_config
from kernel.event import timestamp_from_micros
from kernel.layout import Layout
from kernel.master_key import open_master_key
from kernel.store.contract import EventStore
from kernel.store.elasticsearch.install import template_bodies
from kernel.store.elasticsearch.secret_context import SECRET_CONTEXT
from kernel.store.lake import Lake
from kernel.store.open import open_store

_DATA = click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Data directory, default as configured.")


@click.group()
def command() -> None:
    """Verify, measure, compact and clear the event store."""


@contextmanager
def _opened(config: Config, *, writable: bool) -> Iterator[EventStore]:
    store = open_store(config, writable=writable)
    try:
        yield store
    finally:
        store.close()


command.add_command(export)


@command.command()
@_DATA
def verify(data: Path | None) -> None:
    """Recompute the SM3 of every segment (its skip index included) and the hash chain.

    Names what was changed, is missing or was never recorded, and what stands in lost/: segments found at a start that the manifest
    did not know (of a commit that a crash cut off, or of a manifest older than the files). Exit code 0: sound; 1: not, or it cannot
    be checked. For the embedded lake: Elasticsearch keeps no such chain, its shards carry checksums of their own
    (docs/event-store.md).
    """
    config = config_of(data)
    if config.store.engine != "lake":
        raise click.ClickException(
            f"verify is for the embedded lake, the engine is {config.store.engine} (for an old lake: LIANDUN_STORE_ENGINE=lake)"
        )
    lake = Lake.open(Layout(config.data_dir).lake, writable=False)
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
    for path in result.lost:
        click.echo(f"set aside, not searched: {path}")
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
    config = config_of(data)
    with _opened(config, writable=False) as store:
        facts = {"engine": config.store.engine} | store.statistics() | {"counters": store.counters()}
        click.echo(orjson.dumps(facts, option=orjson.OPT_INDENT_2).decode())


@command.command()
@_DATA
@click.option("--everything", is_flag=True, help="Merge all that can be merged, not only what is due.")
def compact(data: Path | None, everything: bool) -> None:
    """Merge small segments now and give them skip indexes. The platform does it by itself while it runs; then this is refused.

    On Elasticsearch: begin a new backing index if one is due (--everything: now); the server merges segments by itself.
    """
    config = config_of(data)
    with _opened(config, writable=True) as store:
        replaced = store.compact(everything=everything)
        if config.store.engine == "elasticsearch":
            click.echo("a new backing index was begun" if replaced else "no new backing index is due")
        else:
            click.echo(f"{replaced} segments replaced, {store.statistics()['segments']} now")


@command.command()
@_DATA
@click.option("--days", type=click.IntRange(1), help="Keep so many days, default as configured (at least 180 by law).")
def retain(data: Path | None, days: int | None) -> None:
    """Drop whole days older than the retention. Fewer than 180 days are refused unless the platform is configured as a demo."""
    config = config_of(data)
    with _opened(config, writable=True) as store:
        wanted = days if days is not None else config.store.retention_days
        dropped = store.retain(wanted, timestamp_from_micros(time.time_ns() // 1000))
        click.echo(f"{dropped} events older than {wanted} days dropped")


@command.command()
@_DATA
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 100_000))
@click.option("--raw", is_flag=True, help="Print whole records (bytes that are no text escaped) instead of one line each.")
def quarantine(data: Path | None, limit: int, raw: bool) -> None:
    """Show records that could not be understood, newest first, with the reason."""
    with _opened(config_of(data), writable=False) as store:
        records = store.quarantine(limit=limit)
    for record in records:
        text = record.raw.decode("utf-8", "backslashreplace")
        shown = text if raw else text[:120]
        printable = "\n".join("\t".join(map(visible, line.split("\t"))) for line in shown.split("\n")) if raw else visible(shown)
        about = f"{record.time}  {visible(record.source)}  {visible(record.origin)}\n    {visible(record.reason)}"
        click.echo(f"{about}\n    {printable}")
    if not records:
        click.echo("nothing in quarantine")


@command.command()
@_DATA
def seal(data: Path | None) -> None:
    """Seal an Elasticsearch password or API key (asked for, or read from standard input) for [store.elasticsearch]."""
    config = config_of(data)
    Layout(config.data_dir).create()
    secret = (
        click.prompt("password or API key", hide_input=True, err=True) if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    )
    if not secret:
        raise click.ClickException("nothing to seal")
    click.echo(open_master_key(config).seal(secret.encode(), SECRET_CONTEXT))


@command.command()
@click.option("--lifecycle", is_flag=True, help="For a server with ILM: name the lifecycle policy, and print it.")
def templates(lifecycle: bool) -> None:
    """Print the Elasticsearch templates as JSON, path by path, for an administrator who puts them (manage_templates = false)."""
    bodies = template_bodies(load_config().store.elasticsearch, lifecycle=lifecycle)
    click.echo(orjson.dumps(bodies, option=orjson.OPT_INDENT_2).decode())
