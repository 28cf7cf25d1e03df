"""``./liandun indicators``: import of large files, and what the workers look up right now."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn

from cli import acting
from cli.data_directory import config_of, state_of
from cli.terminal import visible
from kernel.errors import LiandunError
from kernel.indicators.index import ADDRESS, FAMILIES, Index
from kernel.indicators.values import guessed
from kernel.layout import Layout
from operations.audit.schema import Actor
from operations.indicators import formats, service


@click.group(name="indicators")
def command() -> None:
    """Indicators of compromise: import files, look a value up."""


@command.command(name="import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--origin", required=True, help="Who says so: the name of the feed.")
@click.option("--form", type=click.Choice(list(formats.READERS)), help="Recognised by itself where it is not given.")
@click.option("--confidence", type=click.IntRange(0, 100), default=50, show_default=True, help="Where the file does not say.")
@click.option("--dry-run", is_flag=True, help="Only say what would come of it.")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Data directory of the platform.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def import_command(
    file: Path, origin: str, form: str | None, confidence: int, dry_run: bool, data: Path | None, as_json: bool
) -> None:
    """Import FILE: a list, a CSV table, a STIX 2.1 bundle or events of MISP. Exit code 1 where nothing of it could be taken."""
    columns = (SpinnerColumn(), TextColumn("{task.completed:,} values"))
    with state_of(config_of(data)) as database, file.open("rb") as opened:
        chosen = form or formats.form_of(file.name, opened.read(4096))
        opened.seek(0)
        with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
            task = shown.add_task("", total=None)
            outcome = service.bring_in(
                database, _actor(), formats.read(chosen, opened), origin=origin, file=file.name, confidence=confidence,
                dry=dry_run, progress=lambda count: shown.update(task, completed=count),
            )  # fmt: skip
    if as_json:
        click.echo(msgspec.json.encode(outcome).decode())
    else:
        for one in outcome.refused[:20]:
            click.echo(visible(f"{file}, {one.place}: {one.value}: {one.reason}"), err=True)
        if outcome.refused_count > 20:
            click.echo(f"and {outcome.refused_count - 20:,} more were refused", err=True)
        click.echo(
            f"{outcome.added:,} new, {outcome.changed:,} brought up to date, {outcome.same:,} as before, "
            f"{outcome.revoked:,} taken back, {outcome.refused_count:,} refused"
        )
    if outcome.refused_count and not (outcome.added or outcome.changed or outcome.same or outcome.revoked):
        raise SystemExit(1)


@command.command(name="lookup")
@click.argument("value")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Data directory of the platform.")
def lookup(value: str, data: Path | None) -> None:
    """Say whether VALUE is looked up by the workers now. Exit code 1 where it is not."""
    path = Layout(config_of(data).data_dir).indicators
    try:
        index = Index(path if path.exists() else None)
        kind, text = guessed(value)
    except OSError as error:
        raise LiandunError(str(error)) from error
    except ValueError as error:
        raise LiandunError(str(error)) from error
    look = {"domain": index.find_domain, "address": index.find_address}.get(kind)
    found = look(text) if look else index.find(FAMILIES.get(kind, ADDRESS), text)
    if found is None:
        click.echo(visible(f"{text}: no indicator in force"))
        raise SystemExit(1)
    click.echo(
        visible(f"{text}: {found.kind} {found.value}, {found.origin}, confidence {found.confidence}, until {found.valid_until}")
    )


def _actor() -> Actor:
    return acting.actor()
