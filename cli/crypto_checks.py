"""``liandun crypto selftest`` and ``vectors``."""

from __future__ import annotations

from pathlib import Path

import click

from cli.master_key_check import check_master_key
from crypto.selftest import run, sound
from crypto.vectors import Totals, run_file
from kernel.config import load_config
from kernel.errors import LiandunError

_SHOWN = 64


@click.command()
@click.pass_context
def selftest(context: click.Context) -> None:
    """Which library serves what on this machine, shown by known answers and by a second implementation. Exit code 1 where one is
    wrong.
    """
    findings = list(run())
    widths = [max(len(getattr(finding, name)) for finding in findings) for name in ("service", "backend", "state")]
    for finding in findings:
        cells = (finding.service, finding.backend, finding.state)
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + f"  {finding.detail}")
    good = sound(findings)
    try:
        key = check_master_key(load_config())
    except LiandunError as error:  # a configuration with mistakes says nothing about the algorithms
        click.echo(f"master key: not looked at: {error.message.splitlines()[0]}")
    else:
        hint = f" → {key.hint}" if key.hint else ""
        click.echo(f"master key: {key.keeper}: {key.detail}{hint}")
        good = good and key.state != "bad"
    click.echo("Algorithms right; these libraries are not certified modules." if good else "NOT SOUND: see the lines above.")
    context.exit(0 if good else 1)


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--quiet", is_flag=True, help="Only failures and totals.")
@click.pass_context
def vectors(context: click.Context, files: tuple[Path, ...], quiet: bool) -> None:
    """Run FILES of known answers: a line a case (file, id, expected, got, pass or fail), then totals by class. Exit code 1 on a
    failure.
    """
    totals = Totals()
    for path in files:
        for outcome in run_file(path):
            totals.add(outcome)
            if outcome.passed and quiet:
                continue
            reason = f"  ({outcome.reason})" if outcome.reason else ""
            verdict = "pass" if outcome.passed else "FAIL"
            expected = f"{outcome.result}: {_short(outcome.expected)}"
            click.echo(f"{outcome.file}  {outcome.id}  {expected}  got {_short(outcome.got)}  {verdict}{reason}")
    click.echo()
    width = max(map(len, totals.cases), default=0)
    for kind, count in sorted(totals.cases.items()):
        click.echo(f"{kind:<{width}}  {count - totals.failed[kind]:>5} of {count} passed")
    failed = totals.failed.total()
    click.echo(f"{'all':<{width}}  {totals.cases.total() - failed:>5} of {totals.cases.total()} passed")
    context.exit(1 if failed else 0)


def _short(value: str) -> str:
    return value if len(value) <= _SHOWN else f"{value[:_SHOWN]}… ({len(value) // 2} bytes)"
