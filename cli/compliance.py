"""``./liandun compliance``: the catalogue of requirements, systems, probes, assessment, scores by template (docs/compliance.md)."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec

from cli import compliance_report, compliance_systems
from cli.compliance_confirmations import confirm_command, confirmations_command
from cli.compliance_documents import documents_command
from cli.compliance_findings import findings_command, waivers_command
from cli.compliance_import import import_command
from cli.compliance_probe import database_script_command, probe_command, windows_script_command
from cli.compliance_targets import targets_command
from cli.terminal import print_lines, visible
from compliance.catalogue.applicable import Levels, applicable
from compliance.catalogue.difference import difference
from compliance.catalogue.load import CatalogueError, crypto_requirements, put_together, requirements
from compliance.catalogue.table import as_csv, row
from compliance.scoring import assessed, crypto
from compliance.scoring.outcome import Outcome
from compliance.scoring.templates import TEMPLATES

MOST_OCTETS = 256 << 20
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_LEVELS = click.option("--levels", default="S3A3", show_default=True, help="S and A levels of the system: S3A3, S3A2, S2A3 …")
_EXTENSIONS = click.option(
    "--extension", "extensions", multiple=True, help='8.2 cloud, 8.3 mobile, 8.4 IoT, 8.5 industrial control; "all".'
)


@click.group()
def command() -> None:
    """MLPS (等保 2.0) level 3: requirements, probes and scores (docs/compliance.md)."""


command.add_command(probe_command)
command.add_command(windows_script_command)
command.add_command(database_script_command)
command.add_command(import_command)
command.add_command(targets_command)
command.add_command(findings_command)
command.add_command(waivers_command)
command.add_command(documents_command)
command.add_command(confirmations_command)
command.add_command(confirm_command)


compliance_report.register(command)


@command.command("catalogue")
@_LEVELS
@_EXTENSIONS
@click.option("--format", "form", type=click.Choice(("table", "json", "csv")), default="table", show_default=True)
@click.option("--lang", type=click.Choice(("zh", "en")), default="zh", show_default=True, help="Language of the table.")
@click.option("--standard", type=click.Choice(("22239", "39786")), default="22239", show_default=True)
def catalogue_command(levels: str, extensions: tuple[str, ...], form: str, lang: str, standard: str) -> None:
    """List the requirements that hold for a system."""
    if standard == "39786":
        _crypto_catalogue(form, lang)
        return
    whole = requirements()
    wanted = [one.id for one in whole.extensions] if "all" in extensions else list(extensions)
    items = applicable(whole, Levels.read(levels), wanted)
    if form == "csv":
        click.echo(as_csv(items), nl=False)
    elif form == "json":
        head = {"standard": whole.standard, "level": whole.level, "levels": str(Levels.read(levels)), "extensions": wanted}
        reference = msgspec.to_builtins(whole.reference)  # big data, for information: not counted
        told = {"digest": whole.digest, "count": len(items), "items": [row(one) for one in items], "reference": reference}
        _print_json(head | told)
    else:
        lines = [(one.placed.item.id, one.placed.control_point.attribute, getattr(one.placed.item, lang)) for one in items]
        print_lines(("clause", "S/A/G", "requirement"), lines)
        click.echo(f"{len(items)} items; {whole.standard} {levels}, data {whole.digest[:16]}", err=True)


def _crypto_catalogue(form: str, lang: str) -> None:
    whole = crypto_requirements()
    if form == "json":
        _print_json(msgspec.to_builtins(whole))
        return
    if form == "csv":
        raise click.UsageError("GB/T 39786 is there as a table and as JSON")
    print_lines(("unit", "weight", "requirement"), [(one.id, f"{one.weight:g}", getattr(one, lang)) for _, one in whole.units()])


@command.command("diff")
@click.argument("general", type=_FILE)
@click.argument("extensions", type=_FILE)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def diff_command(general: Path, extensions: Path, as_json: bool) -> None:
    """What the catalogue of this version changes against the files GENERAL and EXTENSIONS of another one.

    Exit code 0 where they are the same, 1 where they differ.
    """
    changes = difference(put_together(general, extensions), requirements())
    if as_json:
        _print_json([msgspec.to_builtins(one) for one in changes])
    else:
        lines = [(one.item, one.kind, one.field, _short(one.before), _short(one.after)) for one in changes]
        print_lines(("clause", "change", "field", "before", "after"), lines)
    if changes:
        raise click.exceptions.Exit(1)


@command.command("systems")
@click.option("--add", type=_FILE, help="Add those of a JSON file first.")
@compliance_systems.json_option
@compliance_systems.data_option
def systems_command(add: Path | None, as_json: bool, data: Path | None) -> None:
    """List the MLPS systems (定级对象)."""
    compliance_systems.show_systems(data, add, as_json, _print_json)


@command.command("objects")
@click.argument("system")
@click.option("--take-over", is_flag=True, help="Make objects of the registered assets in the zones of SYSTEM first.")
@compliance_systems.json_option
@compliance_systems.data_option
def objects_command(system: str, take_over: bool, as_json: bool, data: Path | None) -> None:
    """List the objects of SYSTEM (its number or name) that are assessed."""
    compliance_systems.show_objects(data, system, take_over, as_json, _print_json)


@command.command("assess")
@click.argument("system")
@click.option("--findings", type=_FILE, help="Record what probes found first: a JSON list (docs/compliance.md).")
@compliance_systems.json_option
@compliance_systems.data_option
def assess_command(system: str, findings: Path | None, as_json: bool, data: Path | None) -> None:
    """Tell what SYSTEM (its number or name) does not meet, and what has no verdict yet."""
    compliance_systems.assess(data, system, findings, as_json, _print_json)


@command.command("score")
@click.argument("what", metavar="FILE|SYSTEM")
@click.option(
    "--template", type=click.Choice((*TEMPLATES, crypto.NAME)), default="2025", show_default=True,
    help="Of which report; 39786: cryptography.",
)  # fmt: skip
@click.option("--keep", is_flag=True, help="Keep the score of SYSTEM for its trend.")
@compliance_systems.json_option
@compliance_systems.data_option
def score_command(what: str, template: str, keep: bool, as_json: bool, data: Path | None) -> None:
    """Score the verdicts in FILE, or what is recorded about SYSTEM (its number or name). Exit code 0 scored, 1 refused."""
    file = Path(what)
    if file.is_file():
        octets = _octets(file)
        if template == crypto.NAME:
            outcome = crypto.outcome(crypto_requirements(), crypto.read(octets))
        else:
            outcome = TEMPLATES[template](requirements(), assessed.read(octets))
    else:
        outcome = compliance_systems.score(data, what, template, keep).outcome
    if as_json:
        _print_json(msgspec.to_builtins(outcome))
    else:
        _show(outcome)


def _octets(file: Path) -> bytes:
    with file.open("rb") as opened:
        octets = opened.read(MOST_OCTETS + 1)
    if len(octets) > MOST_OCTETS:
        raise CatalogueError(f"{file} is larger than {MOST_OCTETS >> 20} MiB (limit)")
    return octets


def _show(outcome: Outcome) -> None:
    click.echo(f"template    {outcome.template}" + ("   PROVISIONAL: not everything has a verdict" if outcome.provisional else ""))
    click.echo(f"result      {outcome.value}   {outcome.conclusion_zh} ({outcome.conclusion})")
    click.echo(f"formula     {outcome.formula}")
    click.echo("settings    " + ", ".join(f"{name} = {value}" for name, value in outcome.settings.items()))
    click.echo("items       " + ", ".join(f"{number} {name}" for name, number in outcome.counts.items()))
    if outcome.hazards:
        click.echo(f"重大风险隐患 {outcome.hazards}")
    for share in outcome.classes:
        counted = f"{share.met}/{share.partly}/{share.not_met}/{share.not_applicable}" if outcome.template != crypto.NAME else ""
        click.echo(visible(f"  {share.id:<8}{share.value:>8}  {counted:<14}{share.zh} {share.en}"))
    for note in outcome.notes:
        click.echo(visible(f"note        {note}"))
    click.echo("待确认      " + "; ".join(outcome.to_be_confirmed) + "   (to be confirmed against the printed template)")
    click.echo(f"catalogue   SM3 {outcome.catalogue}")


def _short(value: object) -> str:
    text = "" if value is None else str(value)
    return visible(text if len(text) <= 60 else text[:59] + "…")


def _print_json(value: object) -> None:
    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n")
    sys.stdout.flush()
