"""``./liandun compliance import``: findings out of reports of other tools (docs/compliance.md, Reports of other tools)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import get_args

import click
import msgspec

from cli.terminal import visible
from compliance.importers.contract import MOST_OCTETS, ReportError, Tool
from compliance.importers.taking import take
from compliance.probes.findings import findings


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--format", "tool", type=click.Choice(get_args(Tool)), required=True, help="arf: OpenSCAP, also XCCDF results.")
@click.option("--object", "object_id", type=int, help="The number of the object that the report is about; none: the whole system.")
@click.option("--target", help="Whose results, where the report is about several hosts.")
@click.option("--results", "as_results", is_flag=True, help="Print each result with its raw excerpt and SM3, not findings.")
def import_command(file: Path, tool: Tool, object_id: int | None, target: str | None, as_results: bool) -> None:
    """Print what FILE says about items, in the form that compliance assess SYSTEM --findings takes.

    Which items a rule speaks to is our own work, to be confirmed. Exit code 0, or 1 where FILE is not taken.
    """
    with file.open("rb") as opened:
        octets = opened.read(MOST_OCTETS + 1)
    try:
        results, counts = take(tool, octets, target)
    except ReportError as error:
        hint = f" ({error.hint})" if error.hint else ""
        click.echo(visible(f"{file}: {error.message}{hint}"), err=True)
        raise click.exceptions.Exit(1) from error
    told = results if as_results else findings(results, object_id)
    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(told), indent=1) + b"\n")
    sys.stdout.flush()
    click.echo(
        f"{counts.results} results: {counts.mapped} speak to {counts.items} items (to be confirmed), "
        f"{counts.unmapped} are not mapped, {counts.without} give no verdict",
        err=True,
    )
