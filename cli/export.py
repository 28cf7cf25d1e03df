"""``liandun store export``: hits of a query into a file, with a manifest beside it."""

from __future__ import annotations

from pathlib import Path
from typing import cast, get_args

import click
from rich.console import Console
from rich.progress import Progress, TextColumn, TimeElapsedColumn

from cli.data_directory import config_of
from cli.search import parsed, time_range
from kernel.store.export import ALL, MISFITS, Format, export
from kernel.store.open import open_store

_PATIENCE_SECONDS = 3_600.0


@click.command("export")
@click.argument("query", default="*")
@click.option("--last", metavar="24h", help="Only the last 30s, 15m, 24h, 7d, 4w.")
@click.option("--from", "start", metavar="TIME", help="From this time on (2026-11-23, 2026-11-23T08:00:00+08:00).")
@click.option("--to", "end", metavar="TIME", help="Before this time.")
@click.option("--format", "form", type=click.Choice(get_args(Format)), help="Default: by the file's name.")
@click.option("--fields", metavar="A,B", help="Columns in this order; all fields by default.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The file; an old one is replaced.")
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Data directory, default as configured.")
def command(
    query: str,
    last: str | None,
    start: str | None,
    end: str | None,
    form: str | None,
    fields: str | None,
    out: Path,
    data: Path | None,
) -> None:
    """Write all events that match QUERY into a file: Parquet, CSV or JSON lines, however many they are.

    The file appears when it is whole. FILE.manifest.json says what was asked, how many events it holds and its SM3. What a typed
    Parquet column cannot hold (text in a number field) stands as JSON in the column liandun.misfits, and is counted.
    """
    chosen = form or out.suffix.removeprefix(".")
    if chosen not in get_args(Format):
        raise click.UsageError(f"what is {out.name}? Give --format {' | '.join(get_args(Format))}")
    names = tuple(name.strip() for name in fields.split(",") if name.strip()) if fields else ALL
    when = time_range(last, start, end)
    store = open_store(config_of(data), writable=False, patience=_PATIENCE_SECONDS)
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), TextColumn("{task.completed:,.0f} events"), TimeElapsedColumn())
    try:
        with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
            task = progress.add_task(f"exporting to {out.name}", total=None)
            told = export(
                store, parsed(query), when, out, cast(Format, chosen), names, lambda rows: progress.update(task, completed=rows)
            )
    finally:
        store.close()
    click.echo(f"{told.rows} events, {told.bytes} bytes in {out}; what was asked and its SM3 in {out.name}.manifest.json")
    if told.misfits:
        counts = ", ".join(f"{field} {count}" for field, count in told.misfits.items())
        click.echo(f"{sum(told.misfits.values())} values do not fit their columns and stand in {MISFITS}: {counts}", err=True)
    if told.damaged:
        raise click.ClickException(f"the export lacks what is damaged: {', '.join(told.damaged)} (see ./liandun store verify)")
