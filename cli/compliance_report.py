"""``./liandun compliance report|checklist|evidence``: files about a system, a check-list taken in, a package verified."""

from __future__ import annotations

import os
from pathlib import Path

import click
import msgspec

from cli.acting import at_incidents, who
from cli.certificate_files import load_certificates, load_lists, path_type
from cli.compliance_systems import data_option, find
from cli.crypto_files import read_public_key
from cli.data_directory import config_of, state_of
from cli.terminal import print_lines, visible
from compliance.reports import checklist
from compliance.reports.exporting import KINDS, Exported, Means, Wish, export
from compliance.reports.material import TEMPLATES, gather
from compliance.reports.package import Attachment, verify
from compliance.reports.words import LANGUAGES
from crypto.secret import MasterKey
from kernel.config import Config
from kernel.errors import LiandunError
from kernel.master_key import open_master_key
from operations.incidents.evidence_key import authority

MOST_ATTACHED = 64 << 20
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FORMATS = tuple(dict.fromkeys(form for forms in KINDS.values() for form in forms))


def register(group: click.Group) -> None:
    """The commands of this file, below ``./liandun compliance``."""
    for one in (report_command, checklist_command, evidence_group):
        group.add_command(one)


@click.command("report")
@click.argument("system")
@click.option("--kind", required=True, type=click.Choice(tuple(KINDS)), help="Which report.")
@click.option("--format", "form", type=click.Choice(_FORMATS), help="Default: the ending of --output, else the first of the kind.")
@click.option("--output", "-o", required=True, type=path_type, help="The new file (mode 0600).")
@click.option("--language", type=click.Choice(LANGUAGES), default="zh", show_default=True, help="Language of its texts.")
@click.option("--template", type=click.Choice(TEMPLATES), default="2025", show_default=True, help="Template of the score.")
@click.option("--attach", multiple=True, type=_FILE, help="A file that goes into an evidence package (again for more).")
@data_option
def report_command(
    system: str,
    kind: str,
    form: str | None,
    output: Path,
    language: str,
    template: str,
    attach: tuple[Path, ...],
    data: Path | None,
) -> None:
    """Write a report about SYSTEM (its number or name); audited.

    \b
    self-assessment, gap, remediation, board, protection-plan   docx, pdf
    checklist   xlsx, taken in again by `compliance checklist`
    oscal       zip of all six documents; oscal-results and so on: json
    evidence    zip, signed; checked by `compliance evidence verify`
    """
    if os.path.lexists(output):
        raise LiandunError(f"{output} exists and is not overwritten", "give another name")
    ending = output.suffix.lower().removeprefix(".")
    wish = Wish(kind, form or (ending if ending in KINDS[kind] else ""), language, template)
    config = config_of(data)
    attached = [Attachment(path.name, _octets(path)) for path in attach]
    with state_of(config) as database:
        means = Means(_master(config) if kind == "evidence" else None, config.platform.city or "莲盾 Liandun")
        made = export(database, means, at_incidents(), find(database, system), wish, attached)
    _write(output, made)
    click.echo(f"{output}: {len(made.octets):,} octets")


@click.command("checklist")
@click.argument("system")
@click.argument("file", type=_FILE)
@click.option("--apply", "really", is_flag=True, help="Record the changes as your verdicts, all or none.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@data_option
def checklist_command(system: str, file: Path, really: bool, as_json: bool, data: Path | None) -> None:
    """Compare the filled in check-list FILE with what is recorded about SYSTEM, and record it with --apply.

    Exit code 0 where every row can be taken in, 1 where one cannot.
    """
    sheet = checklist.read(_octets(file))
    with state_of(config_of(data)) as database:
        number = find(database, system)
        with database.read() as session:
            plan = checklist.compare(sheet, gather(session, number))
        if really and not plan.troubles:
            with database.write() as session:
                plan = checklist.take_in(session, who(), number, sheet)
    if as_json:
        click.echo(msgspec.json.encode(plan).decode())
    else:
        lines = [(str(one.line), one.item, one.object, one.before or "none", one.after, one.reason[:60]) for one in plan.changes]
        print_lines(("line", "clause", "object", "before", "after", "reason"), lines, right=("line",))
        for trouble in plan.troubles:
            click.echo(visible(f"line {trouble.line}: {trouble.item} on {trouble.object_id}: {trouble.message}"), err=True)
        done = "recorded" if really and not plan.troubles else "would change"
        told = (
            f"{len(plan.changes)} {done}, {len(plan.troubles)} cannot be taken in, {plan.same} the same, {plan.untouched} untouched"
        )
        click.echo(told, err=True)
    if plan.troubles:
        raise click.exceptions.Exit(1)


@click.group("evidence")
def evidence_group() -> None:
    """Evidence packages: verify one anywhere, show the authority that their signatures are checked with."""


@evidence_group.command("verify")
@click.argument("file", type=_FILE)
@click.option("--trust", "-t", multiple=True, type=path_type, help="Trusted certificates: that of the authority `evidence`.")
@click.option("--with", "others", multiple=True, type=path_type, help="Certificates of authorities in between.")
@click.option("--crl", multiple=True, type=path_type, help="Revocation lists.")
@click.option("--key", type=path_type, help="The signer's public key, instead of certificates.")
def verify_command(file: Path, trust: tuple[Path, ...], others: tuple[Path, ...], crl: tuple[Path, ...], key: Path | None) -> None:
    """Check signature, certificate and each file of the package FILE; needs no platform. Exit code 1: not in order."""
    public = read_public_key(key) if key is not None else None
    found = verify(
        file, trusted=load_certificates(trust), others=load_certificates(others), lists=load_lists(crl), key=public
    )  # fmt: skip
    click.echo(visible(f"{file}: in order; {found.system}, issued {found.issued_at}, signed by {found.signer}"))
    for name in found.files:
        click.echo(visible(f"  {name}"))


@evidence_group.command("authority")
@data_option
def authority_command(data: Path | None) -> None:
    """Print the certificate (PEM) that packages of this platform are verified with; hand it on by a way of its own."""
    with state_of(config_of(data)) as database, database.read() as session:
        click.echo(authority(session).strip())


def _master(config: Config) -> MasterKey:
    return open_master_key(config)


def _octets(file: Path) -> bytes:
    with file.open("rb") as opened:
        octets = opened.read(MOST_ATTACHED + 1)
    if len(octets) > MOST_ATTACHED:
        raise LiandunError(f"{file} is larger than {MOST_ATTACHED >> 20} MiB (limit)")
    return octets


def _write(output: Path, made: Exported) -> None:
    descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(made.octets)
