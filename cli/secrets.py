"""``liandun secrets``: sealed secrets and their master key — where they stand, rotation, another keeper (docs/secrets.md)."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from cli import acting
from cli.data_directory import config_of, state_of
from cli.master_key_check import check_master_key
from cli.terminal import visible
from crypto.errors import SecretError
from crypto.generations import Contents
from crypto.keepers import NAMES
from crypto.secret import MasterKey
from kernel.config import Config, Secret
from kernel.db import Database
from kernel.errors import LiandunError
from kernel.layout import Layout
from kernel.master_key import key_file, open_master_key
from kernel.store.elasticsearch.secret_context import SECRET_CONTEXT
from operations.audit.head_file import HeadFile
from operations.audit.keys import KeyStore
from operations.audit.schema import Actor
from operations.secrets.files import AuditKeys, Settings
from operations.secrets.rotate import SecretPlaces, move, rotate
from operations.secrets.schema import Found, Tell

_DATA = click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Data directory, default as configured.")


@click.group()
def command() -> None:
    """Sealed secrets and the master key that opens them: state, rotation, moving it to another keeper (docs/secrets.md)."""


@command.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@_DATA
def status(as_json: bool, data: Path | None) -> None:
    """Which keeper protects the master key, its generations, and how many secrets each has sealed. Changes no secret."""
    config = config_of(data)
    check = check_master_key(config)
    contents = _contents(config)
    with state_of(config) as database:
        found = _places(config, database, MasterKey(bytes(16))).count()  # counting opens nothing
    if as_json:
        generations = [
            {"number": one.number, "keeper": one.keeper, "made": one.made, "sealed": _sealed(found, one.number)}
            for one in (contents.generations if contents else ())
        ]
        report = {**asdict(check), "generations": generations, "places": [msgspec.to_builtins(one, str_keys=True) for one in found]}
        click.echo(json.dumps(report, ensure_ascii=False))
        return
    click.echo(f"keeper: {check.keeper}   {check.detail}")
    if check.hint:
        click.echo(f"  → {check.hint}")
    for line in _lines(contents, found):
        click.echo(line)


@command.command("rotate")
@click.option(
    "--anew", is_flag=True, help="A further key even where an older one has to stay: when the present one is known to others."
)
@_DATA
def rotate_command(anew: bool, data: Path | None) -> None:
    """Make a new master key and seal every secret again with it, in the database and in files, while the platform runs.

    May be interrupted at any moment and run again: the old key stays until nothing refers to it. Exit code 1 where something could
    not be sealed again.
    """
    config = config_of(data)
    with state_of(config) as database:
        key = open_master_key(config)
        places = _places(config, database, key)
        before = sum(sum(one.generations.values()) for one in places.count())
        with _progress(before) as tell:
            ended = rotate(key_file(config), key, places, _actor(), tell, anew=anew)
    how = "carried on" if ended.resumed else "made"
    click.echo(f"generation {ended.generation} of the master key {how}: {ended.done} secrets sealed again")
    for one in ended.stuck:
        click.echo(f"not sealed again: {visible(one.where)}: {visible(one.why)}", err=True)
    if ended.waiting:
        stays = ", ".join(map(str, ended.waiting))
        raise LiandunError(
            f"the older generation {stays} stays: something refers to it",
            "mend the lines above, then run this again (--anew makes one more key all the same)",
        )


@command.command("move")
@click.option("--to", "keeper", type=click.Choice(NAMES), required=True, help="The keeper, as configured under [secrets].")
@_DATA
def move_command(keeper: str, data: Path | None) -> None:
    """Let another keeper protect the master key. Nothing that is sealed changes; the platform may run."""
    config = config_of(data)
    with state_of(config) as database:
        open_master_key(config)  # made where there is none yet
        contents = move(key_file(config), keeper, database, _actor())
    click.echo(f"generation {contents.active.number} of the master key is kept by {keeper}")
    if config.secrets.keeper != keeper:
        click.echo(f'  → write keeper = "{keeper}" under [secrets] of the configuration, for the generations to come', err=True)
    if keeper != "file":
        click.echo("  → copies of the former key file (backups, snapshots) still hold the key: then rotate it, too", err=True)


def _contents(config: Config) -> Contents | None:
    """The key file, None where there is none or it cannot be read (the check has said why)."""
    file = key_file(config)
    try:
        return file.read() if file.mark() else None
    except SecretError:
        return None


def _places(config: Config, database: Database, key: MasterKey) -> SecretPlaces:
    layout = Layout(config.data_dir)
    audit = AuditKeys(KeyStore(layout.master_key.parent, key), HeadFile(layout.audit_heads))
    file = Path(config.file) if config.file else None
    return SecretPlaces(database, [audit, Settings(file, _environment(config), SECRET_CONTEXT)])


def _environment(config: Config) -> dict[str, str]:
    """Sealed texts that come from the environment of this command."""
    found = {}
    for name in ("password", "api_key"):
        variable, secret = f"LIANDUN_STORE_ELASTICSEARCH_{name.upper()}", getattr(config.store.elasticsearch, name)
        if variable in os.environ and isinstance(secret, Secret) and secret.sealed:
            found[variable] = secret.reveal()
    return found


def _actor() -> Actor:
    return acting.actor()


def _sealed(found: list[Found], generation: int) -> int:
    return sum(one.generations.get(generation, 0) for one in found)


def _lines(contents: Contents | None, found: list[Found]) -> Iterator[str]:
    for one in contents.generations if contents else ():
        parts = [f"{place.generations[one.number]} {place.place}" for place in found if place.generations.get(one.number)]
        active = "active" if contents is not None and one is contents.active else "older"
        made = one.made[:10] or "before generations were counted"
        yield f"generation {one.number}: {active}, kept by {one.keeper}, made {made}; sealed: {', '.join(parts) or 'nothing'}"
    known = {one.number for one in contents.generations} if contents else set()
    for place in found:
        for generation, number in place.generations.items():
            if generation not in known:
                name = f"generation {generation}, which is not here" if generation else "nothing that can be read"
                yield f"NOT TO BE OPENED: {number} {place.place}, sealed by {name}"


@contextlib.contextmanager
def _progress(total: int) -> Iterator[Tell]:
    """A bar on a terminal; elsewhere one line a place and thousand."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    counts: dict[str, int] = {}
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task("sealing again", total=total)

        def tell(place: str, more: int) -> None:
            before = counts.get(place, 0)
            counts[place] = before + more
            progress.update(task, advance=more, description=place)
            if not console.is_terminal and (not before or before // 1000 != counts[place] // 1000):
                click.echo(f"{place}: {counts[place]} sealed again", err=True)

        yield tell
