"""``./liandun compliance targets``: which object is looked at daily, and by which way in (docs/compliance.md, Daily probes)."""

from __future__ import annotations

import os
from pathlib import Path

import click

from cli.certificate_files import path_type
from cli.compliance_findings import print_json, who
from cli.compliance_self import SELF, set_up
from cli.compliance_systems import data_option, find, json_option
from cli.data_directory import config_of, state_of
from cli.probe_ways import ways
from cli.terminal import print_lines, visible
from compliance.probes.run import SECONDS
from compliance.probing import keeping, service
from compliance.probing.bringing import MOST_BYTES, bring
from compliance.probing.models import WAYS
from compliance.probing.running import WORKERS, look
from compliance.probing.schema import Outcome, TargetDraft, TargetRecord
from kernel.errors import LiandunError
from kernel.master_key import open_master_key

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group("targets")
def targets_command() -> None:
    """Objects that are looked at every day, each by a way in; verdicts, drifts and sealed evidence are recorded."""


@targets_command.command("list")
@click.argument("system", required=False)
@json_option
@data_option
def list_command(system: str | None, as_json: bool, data: Path | None) -> None:
    """List the targets (of SYSTEM, its number or name), with what came of the last look."""
    with state_of(config_of(data)) as database:
        number = None if system is None else find(database, system)
        with database.read() as session:
            found = service.targets(session, number)
    if as_json:
        print_json(found)
        return
    names = ("id", "system", "object", "way", "state", "read", "next", "error")
    print_lines(names, list(map(_line, found)), right=("id", "system", "object"))
    click.echo(f"{len(found)} targets, {sum(bool(one.error) for one in found)} with an error", err=True)


@targets_command.command("add")
@click.argument("system")
@click.option("--way", required=True, type=click.Choice(WAYS), help="This platform, its machine, SSH, TLS, a database, a file.")
@click.option("--object", "object_id", type=click.IntRange(1), help="Number of the object; without it the system as a whole.")
@click.option("--place", default="", help="ssh, tls: HOST:PORT. Files: path below [compliance] folder, the newest by * and ?.")
@click.option("--user", "login", default="", help="ssh: account on the host.")
@click.option("--secret", default="", help="ssh: secret with its key or password; postgresql: with its URL (playbook secret set).")
@click.option("--host", default="", help="Reports about several hosts: whose results.")
@click.option("--ca-file", type=_FILE, help="tls: authorities, or the very certificate, that the endpoint is held against (PEM).")
@click.option("--upload", type=_FILE, help="Files without a place: the file, kept sealed; a newer one by bring.")
@json_option
@data_option
def add_command(
    system: str, way: str, object_id: int | None, place: str, login: str, secret: str, host: str, ca_file: Path | None,
    upload: Path | None, as_json: bool, data: Path | None,
) -> None:  # fmt: skip
    """Look at an object of SYSTEM daily, from now on."""
    ca = ca_file.read_text("utf-8", "replace") if ca_file else ""
    config = config_of(data)
    with state_of(config) as database:
        draft = TargetDraft(find(database, system), object_id or 0, way, place, login, secret, host, ca)
        with database.write() as session:
            made = service.add(session, who(), draft)
            if upload is not None:
                bring(session, open_master_key(config), who(), made.id, upload.name, _octets(upload))
        _told(made, as_json)


@targets_command.command("bring")
@click.argument("target", type=click.IntRange(1))
@click.argument("file", type=_FILE)
@json_option
@data_option
def bring_command(target: int, file: Path, as_json: bool, data: Path | None) -> None:
    """Bring a newer FILE to TARGET, which is looked at then; the one before is replaced."""
    config = config_of(data)
    with state_of(config) as database, database.write() as session:
        told = bring(session, open_master_key(config), who(), target, file.name, _octets(file))
    if as_json:
        print_json(told)
    else:
        click.echo(visible(f"target {target}: {told.name}, {told.size} bytes, SM3 {told.sm3}"))


@targets_command.command("pause")
@click.argument("target", type=click.IntRange(1))
@json_option
@data_option
def pause_command(target: int, as_json: bool, data: Path | None) -> None:
    """Look at TARGET no more until it is resumed."""
    _enable(target, False, as_json, data)


@targets_command.command("resume")
@click.argument("target", type=click.IntRange(1))
@json_option
@data_option
def resume_command(target: int, as_json: bool, data: Path | None) -> None:
    """Look at TARGET again."""
    _enable(target, True, as_json, data)


@targets_command.command("remove")
@click.argument("target", type=click.IntRange(1))
@data_option
def remove_command(target: int, data: Path | None) -> None:
    """Forget TARGET; verdicts and evidence stay."""
    with state_of(config_of(data)) as database, database.write() as session:
        service.remove(session, who(), target)


@targets_command.command("run")
@click.argument("targets", nargs=-1, type=click.IntRange(1))
@click.option("--workers", type=click.IntRange(1, 64), default=WORKERS, show_default=True, help="Targets at a time.")
@click.option("--seconds", type=click.FloatRange(1, 3_600), default=SECONDS, show_default=True, help="Time for one target.")
@json_option
@data_option
def run_command(targets: tuple[int, ...], workers: int, seconds: float, as_json: bool, data: Path | None) -> None:
    """Look at TARGETS now, or at all that are not paused, and record it. Exit code 1: something could not be read or recorded."""
    config = config_of(data)
    with state_of(config) as database:
        key = open_master_key(config)
        with database.write() as session:
            known = {one.id: one for one in service.targets(session)}
            if unknown := [number for number in targets if number not in known]:
                raise LiandunError(f"there is no target {unknown[0]}", "./liandun compliance targets list")
            wanted = service.take(session, list(targets) or [number for number, one in known.items() if one.enabled])
        outcomes = []
        for one in look(database, key, ways(database, config, key), wanted, workers=workers, seconds=seconds):
            outcomes.append(one)
            if not as_json:
                _show(one)
    if as_json:
        print_json(outcomes)
    if any(one.error for one in outcomes):
        raise click.exceptions.Exit(1)


@targets_command.command("evidence")
@click.argument("sm3")
@click.argument("target", type=path_type)
@data_option
def evidence_command(sm3: str, target: Path, data: Path | None) -> None:
    """Open the sealed evidence that a verdict names by its SM3 into the new file TARGET (JSON, mode 0600); audited."""
    if os.path.lexists(target):
        raise LiandunError(f"{target} exists and is not overwritten", "give another name")
    config = config_of(data)
    with state_of(config) as database:
        key = open_master_key(config)
        with database.write() as session:
            octets = keeping.unseal(session, key, who().actor, sm3)
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(octets)


@targets_command.command("self")
@data_option
def self_command(data: Path | None) -> None:
    """Enter this platform as a system of its own (S3A3G3) with its objects and targets, once."""
    with state_of(config_of(data)) as database:
        made = set_up(database, who())
    click.echo(f"{SELF}: " + ("entered; looked at within a minute" if made else "is there already"))


def _octets(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(MOST_BYTES + 1)


def _enable(target: int, enabled: bool, as_json: bool, data: Path | None) -> None:
    with state_of(config_of(data)) as database, database.write() as session:
        _told(service.set_enabled(session, who(), target, enabled), as_json)


def _told(target: TargetRecord, as_json: bool) -> None:
    if as_json:
        print_json(target)
    else:
        click.echo(visible(f"target {target.id}: {target.shown}, {'next ' + target.next_at if target.enabled else 'paused'}"))


def _show(one: Outcome) -> None:
    told = f"{one.recorded} verdicts, {one.changed} changed, {one.drifts} drifts, {one.unread} probes could not judge"
    click.echo(visible(f"{one.target.id}  {one.target.shown}  {one.error or told}"))


def _line(one: TargetRecord) -> tuple[str, ...]:
    state = "paused" if not one.enabled else "error" if one.error else "ok" if one.read_at else "waits"
    return (str(one.id), str(one.system_id), str(one.object_id or ""), one.shown, state, one.read_at[:19], one.next_at[:19],
            one.error[:200])  # fmt: skip
