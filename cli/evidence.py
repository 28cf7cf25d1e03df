"""``liandun evidence``: seal, hand on, verify and open evidence with its chain of custody (docs/evidence.md)."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from cli.certificate_files import load_certificates, load_lists, load_signer, path_type
from cli.crypto_files import password_options, read_private_key, read_public_key
from kernel.errors import LiandunError
from operations.evidence.custody import Link
from operations.evidence.package import Trust, add_link, open_evidence, seal_evidence, verify_evidence


def _trust_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--head", help="The known head of the custody record, from the audit log or a receipt."),
        click.option("--crl", multiple=True, type=path_type, help="Revocation lists."),
        click.option("--with", "others", multiple=True, type=path_type, help="Certificates of authorities in between."),
        click.option("--trust", "-t", multiple=True, required=True, type=path_type, help="Trusted certificates."),
    ):
        command = option(command)
    return command


def _signer_options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--actor", default=getpass.getuser, help="Who does it (default: the user of this machine)."),
        click.option("--reason", required=True, help="Why: the case or the order."),
        click.option("--cert", required=True, type=path_type, help="The certificate of the one who signs the custody record."),
        click.option("--key", "-k", required=True, type=path_type, help="The private key of --cert."),
    ):
        command = option(command)
    return password_options(command)


@click.group()
def command() -> None:
    """Seal, hand on, verify and open evidence with its chain of custody (docs/evidence.md)."""


@command.command("seal")
@click.argument("source", type=path_type)
@click.argument("package", type=path_type)
@click.option("--to", multiple=True, required=True, type=path_type, help="SM2 public key of who may open it (again for more).")
@click.option("--from", "origin", required=True, help="Where it was taken from: host, device, place.")
@_signer_options
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
) -> None:
    """Seal SOURCE into the new PACKAGE, with the first link of its custody record."""
    if package.exists():
        raise LiandunError(f"{package} exists and is not overwritten", "give another name")
    signer = load_signer(cert, key, password_file, password_env)
    recipients = [read_public_key(path) for path in to]
    _tell([seal_evidence(source, package, recipients, signer, actor, reason, origin, datetime.now(UTC))])


@command.command("custody")
@click.argument("package", type=path_type)
@click.option("--action", required=True, help="What is done: hand over, copy, examine, return.")
@click.option("--from", "place", required=True, help="From where: address or place.")
@_signer_options
@_trust_options
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
) -> None:
    """Add a signed link to the custody record of PACKAGE, which must be in order."""
    signer = load_signer(cert, key, password_file, password_env)
    _tell([add_link(package, _trust(trust, others, crl, head), signer, action, actor, reason, place, datetime.now(UTC))])


@command.command("verify")
@click.argument("package", type=path_type)
@_trust_options
def verify(package: Path, trust: tuple[Path, ...], others: tuple[Path, ...], crl: tuple[Path, ...], head: str | None) -> None:
    """Check custody record and sealed payload; needs no private key."""
    links, found = verify_evidence(package, _trust(trust, others, crl, head))
    _tell(links)
    click.echo(f"{package}: in order; head {found}")


@command.command("open")
@click.argument("package", type=path_type)
@click.argument("target", type=path_type)
@click.option("--key", "-k", required=True, type=path_type, help="The private key that it was sealed for.")
@_trust_options
@password_options
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
) -> None:
    """Verify PACKAGE, then write its payload to TARGET (mode 0600)."""
    if target.exists():
        raise LiandunError(f"{target} exists and is not overwritten", "give another name")
    private = read_private_key(key, password_file, password_env)
    link = open_evidence(package, target, _trust(trust, others, crl, head), private)
    click.echo(f"{target}: {link.size} bytes, SM3 {link.sm3}")


def _trust(trust: Iterable[Path], others: Iterable[Path], crl: Iterable[Path], head: str | None) -> Trust:
    return Trust(load_certificates(trust), load_certificates(others), load_lists(crl), head)


def _tell(links: Iterable[Link]) -> None:
    for link in links:
        click.echo(f"{link.number:>4}  {link.at}  {link.action}, {link.actor}, from {link.source}: {link.reason}")
