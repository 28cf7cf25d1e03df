"""``./liandun compliance confirmations|confirm``: fields of the catalogue that are to be confirmed (docs/compliance.md)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec

from cli.acting import who
from cli.compliance_systems import opened
from cli.terminal import print_lines, visible
from compliance.confirmations import service
from compliance.confirmations.service import DoubtFilter

_DATA = click.option(
    "--data", type=click.Path(file_okay=False, path_type=Path), help="Data directory (default: LIANDUN_DATA, else var)."
)


@click.command("confirmations")
@click.option("--kind", type=click.Choice(service.KINDS), help="item: GB/T 22239, unit: GB/T 39786, case: high-risk guide.")
@click.option("--state", type=click.Choice(("open", "confirmed")), help="Only those.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@_DATA
def confirmations_command(kind: str | None, state: str | None, as_json: bool, data: Path | None) -> None:
    """List the fields of the catalogue that ship as to be confirmed, and what was confirmed of them."""
    with opened(data) as database, database.read() as session:
        found = service.doubts(session, DoubtFilter(kind or "", state or ""))
    if as_json:
        told: list[Any] = [msgspec.to_builtins(one) for one in found]
        click.echo(msgspec.json.format(msgspec.json.encode(told), indent=1).decode())
        return
    lines = [(one.record, one.field, one.value[:60], one.source[:60] or "to be confirmed", one.by) for one in found]
    print_lines(("clause", "field", "value", "source", "by"), lines)
    click.echo(f"{len(found)} fields, {sum(1 for one in found if not one.version)} to be confirmed", err=True)


@click.command("confirm")
@click.argument("record")
@click.argument("field")
@click.option("--source", help="What was read: document, edition, clause, page.")
@click.option("--value", default="", help="The right value as JSON; left out, the one that ships is right.")
@click.option("--withdraw", is_flag=True, help="It is to be confirmed again.")
@_DATA
def confirm_command(record: str, field: str, source: str | None, value: str, withdraw: bool, data: Path | None) -> None:
    """Confirm FIELD of RECORD (a clause, a unit, YEAR/CASE) of the catalogue, or set it right."""
    if not withdraw and not source:
        raise click.UsageError("say what was read: --source")
    with opened(data) as database, database.write() as session:
        if withdraw:
            service.withdraw(session, who(), record, field)
            click.echo(visible(f"{record}: {field} is to be confirmed again"))
        else:
            found = service.confirm(session, who(), record, field, source or "", value=value)
            click.echo(visible(f"{record}: {field} is {found.value} ({found.source})"))
