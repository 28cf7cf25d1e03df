"""``liandun backup``: sealed copies of state database, rules and configuration; the master key in a file apart."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import click

from cli import acting
from cli.certificate_files import path_type
from cli.crypto_files import password_options, read_private_key, read_public_key
from cli.data_directory import config_of, state_of
from crypto.wraps import ForPublicKey, WithPrivateKey
from kernel.db import Database, open_database
from kernel.errors import LiandunError
from kernel.layout import Layout
from kernel.master_key import key_file
from operations.audit import service as audit
from operations.backup import create_backup, restore_backup, verify_backup

data_option = click.option(
    "--data", type=click.Path(file_okay=False, path_type=Path), help="Data directory (default: LIANDUN_DATA, else var)."
)

database_option = click.option(
    "--database",
    "url_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with the URL of a PostgreSQL state database (postgresql+psycopg://…). Default: that of the data directory.",
)


@click.group()
def command() -> None:
    """Sealed copies of state database, rules and configuration; the master key in a file apart (docs/evidence.md)."""


@command.command("create")
@click.argument("target", type=path_type)
@click.option("--keys", required=True, type=path_type, help="The master key goes here, sealed; keep it in another place.")
@click.option("--to", multiple=True, required=True, type=path_type, help="SM2 public key of who may restore (again for more).")
@click.option("--config", type=path_type, help="A configuration file to keep with it.")
@click.option("--portable", is_flag=True, help="Take the master key out of its token or device, so that a restore needs neither.")
@database_option
@data_option
def create(
    target: Path,
    keys: Path,
    to: tuple[Path, ...],
    config: Path | None,
    portable: bool,
    url_file: Path | None,
    data: Path | None,
) -> None:
    """Write the backup TARGET while the platform runs."""
    for path in (target, keys):
        if path.exists():
            raise LiandunError(f"{path} exists and is not overwritten", "give another name")
    settings, recipients = config_of(data), [ForPublicKey(read_public_key(path)) for path in to]
    layout, file = Layout(settings.data_dir), key_file(settings)
    with _database(url_file or _chosen(layout)) as database:
        keeper = create_backup(layout, target, keys, recipients, config, database, key_file=file, portable=portable)
        _note(database or open_database(layout.state_url), target)
    click.echo(f"{target}: written; the key is in {keys}")
    if keeper != "file":
        click.echo(f"  → it opens only with the {keeper} that keeps it now; --portable writes one that needs none", err=True)


@command.command("verify")
@click.argument("source", type=path_type)
@click.option("--key", "-k", required=True, type=path_type, help="The SM2 private key that it was sealed for.")
@click.option("--note", is_flag=True, help="Write it into the audit trail of the platform (--data).")
@data_option
@password_options
def verify(source: Path, key: Path, note: bool, data: Path | None, password_file: Path | None, password_env: str | None) -> None:
    """Open SOURCE, check all of it and its database, and put nothing anywhere."""
    names = verify_backup(source, WithPrivateKey(read_private_key(key, password_file, password_env)))
    if note:
        _write_down(data, "backup.verify", source.name, {"entries": len(names)})
    click.echo(f"{source}: in order, {len(names)} entries")


@command.command("tested")
@click.argument("source")
@click.argument("note")
@data_option
def tested(source: str, note: str, data: Path | None) -> None:
    """Write into the audit trail that the backup SOURCE was restored for a test; NOTE says where, and what came out."""
    if not note.strip():
        raise LiandunError("say where it was restored, and what came out")
    _write_down(data, "backup.restored", Path(source).name, {"note": note.strip()[:500]})
    click.echo(f"{source}: noted as restored for a test")


@command.command("restore")
@click.argument("source", type=path_type)
@click.option("--keys", required=True, type=path_type, help="The sealed master key.")
@click.option("--key", "-k", required=True, type=path_type, help="The SM2 private key that both were sealed for.")
@database_option
@data_option
@password_options
def restore(
    source: Path,
    keys: Path,
    key: Path,
    url_file: Path | None,
    data: Path | None,
    password_file: Path | None,
    password_env: str | None,
) -> None:
    """Restore SOURCE into a new data directory (and an empty PostgreSQL database, where it is the backup of one)."""
    layout, opener = Layout(config_of(data).data_dir), WithPrivateKey(read_private_key(key, password_file, password_env))
    with _database(url_file or _chosen(layout)) as database:
        names = restore_backup(source, keys, opener, layout, database=database)
    click.echo(f"{layout.root}: {len(names)} entries restored")


def _write_down(data: Path | None, action: str, about: str, detail: dict[str, object]) -> None:
    with state_of(config_of(data)) as database, database.write() as session:
        audit.append(session, acting.actor(), action, "backup", about, detail=detail)


def _note(database: Database, target: Path) -> None:
    """Into the audit trail, where the console finds when the last backup was made."""
    with contextlib.closing(database), database.write() as session:
        actor = acting.actor()
        audit.append(session, actor, "backup.create", "backup", target.name, detail={"size": target.stat().st_size})


def _chosen(layout: Layout) -> Path | None:
    return layout.state_url_file if layout.state_url_file.exists() else None


@contextlib.contextmanager
def _database(url_file: Path | None) -> Iterator[Database | None]:
    """The URL comes in a file: it holds a password, which the list of processes would show."""
    if url_file is None:
        yield None
        return
    database = open_database(url_file.read_text("utf-8").strip())
    try:
        if database.dialect != "postgresql":
            raise LiandunError(f"{url_file}: this is no PostgreSQL database", "the embedded one needs no --database")
        yield database
    finally:
        database.close()
