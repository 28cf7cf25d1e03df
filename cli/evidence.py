"""``liandun evidence``: collect, seal, hand on, verify and open evidence with its chain of custody (docs/evidence.md)."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from cli import acting
from cli.certificate_files import load_certificates, load_lists, load_signer, path_type
from cli.crypto_files import password_options, read_private_key, read_public_key
from cli.terminal import visible
from kernel.config import load_config
from kernel.db import open_database, upgrade
from kernel.errors import LiandunError
from kernel.layout import Layout
from operations.evidence.custody import Link
from operations.evidence.package import Trust
from operations.evidence.service import Custodian, EvidenceDesk


def _trust_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--head", help="The known head of the custody record, from the audit log or a receipt."),
        click.option("--crl", multiple=True, type=path_type, help="Revocation lists."),
        click.option("--with", "others", multiple=True, type=path_type, help="Certificates of authorities in between."),
        click.option("--trust", "-t", multiple=True, required=True, type=path_type, help="Trusted certificates."),
    ):
        command = option(command)
    return command


def _platform_options(command: Callable[..., Any]) -> Callable[..., Any]:
    folder = click.Path(file_okay=False, path_type=Path)
    for option in (
        click.option("--outside", is_flag=True, help="There is no platform here (a court, another office): no audit entry."),
        click.option("--data", type=folder, help="Data directory of the platform whose audit trail records this (default: var)."),
    ):
        command = option(command)
    return command


@contextlib.contextmanager
def _desk(data: Path | None, outside: bool) -> Iterator[EvidenceDesk]:
    actor = acting.actor()
    if outside:
        yield EvidenceDesk(None, actor)
        return
    layout = Layout(data if data is not None else load_config().data_dir)
    if not layout.has_state:
        hint = "name its data directory with --data, or say --outside where there is none"
        raise LiandunError(f"in {layout.root} there is no platform whose audit trail could record this", hint)
    database = open_database(layout.state_url)
    try:
        upgrade(database)
        yield EvidenceDesk(database, actor)
    finally:
        database.close()


def _signer_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--actor", default=acting.user_name, help="Who does it (default: the user of this machine)."),
        click.option("--reason", required=True, help="Why: the case or the order."),
        click.option("--cert", required=True, type=path_type, help="The certificate of the one who signs the custody record."),
        click.option("--key", "-k", required=True, type=path_type, help="The private key of --cert."),
    ):
        command = option(command)
    return password_options(command)


@click.group()
def command() -> None:
    """Collect, seal, hand on, verify and open evidence with its chain of custody; every act is audited (docs/evidence.md)."""


@command.command("collect")
@click.argument("sources", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.argument("package", type=path_type)
@click.option("--to", multiple=True, required=True, type=path_type, help="SM2 public key of who may open it (again for more).")
@click.option("--from", "origin", required=True, help="Where it was taken from: host, device, place.")
@_signer_options
@_platform_options
def collect(
    sources: tuple[Path, ...],
    package: Path,
    to: tuple[Path, ...],
    origin: str,
    key: Path,
    cert: Path,
    reason: str,
    actor: str,
    password_file: Path | None,
    password_env: str | None,
    data: Path | None,
    outside: bool,
) -> None:
    """Put files and folders (SOURCES) as one archive into the new PACKAGE, sealed, with the first link of its custody record."""
    _refuse_existing(package)
    by = Custodian(load_signer(cert, key, password_file, password_env), actor, reason, origin)
    with _desk(data, outside) as desk:
        _tell([desk.collect(sources, package, [read_public_key(path) for path in to], by, datetime.now(UTC))])


@command.command("seal")
@click.argument("source", type=path_type)
@click.argument("package", type=path_type)
@click.option("--to", multiple=True, required=True, type=path_type, help="SM2 public key of who may open it (again for more).")
@click.option("--from", "origin", required=True, help="Where it was taken from: host, device, place.")
@_signer_options
@_platform_options
def seal(
    source: Path,
    package: Path,
    to: tuple[Path, ...],
    origin: str,
    key: Path,
    cert: Path,
    reason: str,
    actor: str,
    password_file: Path | None,
    password_env: str | None,
    data: Path | None,
    outside: bool,
) -> None:
    """Seal SOURCE into the new PACKAGE, with the first link of its custody record."""
    _refuse_existing(package)
    by = Custodian(load_signer(cert, key, password_file, password_env), actor, reason, origin)
    with _desk(data, outside) as desk:
        _tell([desk.seal(source, package, [read_public_key(path) for path in to], by, datetime.now(UTC))])


@command.command("custody")
@click.argument("package", type=path_type)
@click.option("--action", required=True, help="What is done: hand over, copy, examine, return.")
@click.option("--from", "place", required=True, help="From where: address or place.")
@_signer_options
@_trust_options
@_platform_options
def custody(
    package: Path,
    action: str,
    place: str,
    key: Path,
    cert: Path,
    reason: str,
    actor: str,
    password_file: Path | None,
    password_env: str | None,
    trust: tuple[Path, ...],
    others: tuple[Path, ...],
    crl: tuple[Path, ...],
    head: str | None,
    data: Path | None,
    outside: bool,
) -> None:
    """Add a signed link to the custody record of PACKAGE, which must be in order."""
    by = Custodian(load_signer(cert, key, password_file, password_env), actor, reason, place)
    with _desk(data, outside) as desk:
        _tell([desk.add(package, _trust(trust, others, crl, head), action, by, datetime.now(UTC))])


@command.command("verify")
@click.argument("package", type=path_type)
@_trust_options
@_platform_options
def verify(
    package: Path,
    trust: tuple[Path, ...],
    others: tuple[Path, ...],
    crl: tuple[Path, ...],
    head: str | None,
    data: Path | None,
    outside: bool,
) -> None:
    """Check custody record and sealed payload; needs no private key."""
    with _desk(data, outside) as desk:
        links, found = desk.verify(package, _trust(trust, others, crl, head))
    _tell(links)
    click.echo(f"{package}: in order; head {found}")


@command.command("open")
@click.argument("package", type=path_type)
@click.argument("target", type=path_type)
@click.option("--key", "-k", required=True, type=path_type, help="The private key that it was sealed for.")
@_trust_options
@password_options
@_platform_options
def open_package(
    package: Path,
    target: Path,
    key: Path,
    trust: tuple[Path, ...],
    others: tuple[Path, ...],
    crl: tuple[Path, ...],
    head: str | None,
    password_file: Path | None,
    password_env: str | None,
    data: Path | None,
    outside: bool,
) -> None:
    """Verify PACKAGE, then write its payload to TARGET (mode 0600)."""
    _refuse_existing(target)
    private = read_private_key(key, password_file, password_env)
    with _desk(data, outside) as desk:
        link = desk.open(package, target, _trust(trust, others, crl, head), private)
    click.echo(f"{target}: {link.size} bytes, SM3 {link.sm3}")


def _refuse_existing(path: Path) -> None:
    if path.exists():
        raise LiandunError(f"{path} exists and is not overwritten", "give another name")


def _trust(trust: Iterable[Path], others: Iterable[Path], crl: Iterable[Path], head: str | None) -> Trust:
    return Trust(load_certificates(trust), load_certificates(others), load_lists(crl), head)


def _tell(links: Iterable[Link]) -> None:
    for link in links:
        click.echo(visible(f"{link.number:>4}  {link.at}  {link.action}, {link.actor}, from {link.source}: {link.reason}"))
