"""``liandun crypto ca``: the platform's own authority, and roots of the city that are trusted (docs/certificates.md)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy.orm import Session

from cli import acting
from cli.certificate_files import load_certificates, path_type
from cli.crypto_files import out_option, read_source, write_out, write_secret
from cli.data_directory import config_of
from cli.terminal import visible
from crypto.certificates import Request
from crypto.certificates.revocation import REASONS
from crypto.secret import MasterKey
from kernel.db import open_database, upgrade
from kernel.layout import Layout
from kernel.master_key import open_master_key
from operations.audit.schema import Actor
from operations.certificates import service
from operations.certificates.expiry import expiring
from operations.certificates.lists import lists_in_force, take_list
from operations.certificates.publish import RevocationPublisher

data_option = click.option(
    "--data", type=click.Path(file_okay=False, path_type=Path), help="Data directory (default: LIANDUN_DATA, else var)."
)
_authority_option = click.option("--authority", default="issuing", show_default=True, help="Which authority.")


@dataclass(frozen=True)
class _Work:
    session: Session
    key: MasterKey
    actor: Actor


@contextlib.contextmanager
def _work(data: Path | None) -> Iterator[_Work]:
    config = config_of(data)
    layout = Layout(config.data_dir).create()
    database = open_database(layout.state_url)
    try:
        upgrade(database)
        with database.write() as session:
            yield _Work(session, open_master_key(config), acting.actor())
        RevocationPublisher(database, layout.revocations)()  # links must not wait for the scheduler, which may not run
    finally:
        database.close()


@click.group("ca")
def ca() -> None:
    """A small authority: root, issuing authority, certificates, revocation lists. Keys are sealed under the master key."""


@ca.command("init")
@click.option("--organization", "-o", required=True, help="Whose authority it is.")
@data_option
def init(organization: str, data: Path | None) -> None:
    """Make the authorities root and issuing; prints the root certificate, which others have to trust."""
    with _work(data) as work:
        root = service.create_root(work.session, work.actor, work.key, "root", f"{organization} root"[:64], organization)
        below = f"{organization} issuing"[:64]
        service.create_issuing(work.session, work.actor, work.key, "issuing", "root", below, organization)
    click.echo(root.to_pem(), nl=False)


@ca.command("trust")
@click.argument("label")
@click.argument("file", type=path_type)
@data_option
def trust(label: str, file: Path, data: Path | None) -> None:
    """Trust the root certificate in FILE (the city's own authority), under the name LABEL."""
    with _work(data) as work:
        root = service.trust_authority(work.session, work.actor, label, read_source(file))
    click.echo(f"{label}: {visible(root.subject)} is trusted until {root.not_after:%Y-%m-%d}")


@ca.command("issue")
@click.argument("request", type=path_type)
@click.option("--profile", type=click.Choice(["server", "client", "signing"]), default="server", show_default=True)
@click.option("--days", type=click.IntRange(1, 3650), default=365, show_default=True)
@click.option(
    "--double", type=path_type, help="Also an encryption certificate; written here, its sealed key to the same name + .key."
)
@_authority_option
@out_option
@data_option
def issue(request: Path, profile: str, days: int, double: Path | None, authority: str, out: Path | None, data: Path | None) -> None:
    """Issue the certificate that REQUEST (PKCS#10) asks for, followed by the authority's own."""
    asked = Request(read_source(request))
    with _work(data) as work:
        leaf = service.issue_requested(work.session, work.actor, work.key, authority, asked, profile, days)
        chain = service.load_authority(work.session, work.key, authority).certificate
        if double is not None:
            second, sealed = service.issue_encryption(work.session, work.actor, work.key, authority, asked, days)
            write_out(double, second.to_pem().encode())
            write_secret(double.with_name(double.name + ".key"), sealed, force=False)
    write_out(out, (leaf.to_pem() + chain.to_pem()).encode())


@ca.command("renew")
@click.argument("serial")
@click.option("--days", type=click.IntRange(1, 3650), default=365, show_default=True)
@out_option
@data_option
def renew(serial: str, days: int, out: Path | None, data: Path | None) -> None:
    """A new certificate for the key and names of the one with this SERIAL number (hex)."""
    with _work(data) as work:
        certificate = service.renew(work.session, work.actor, work.key, serial, days)
    write_out(out, certificate.to_pem().encode())


@ca.command("revoke")
@click.argument("serial")
@click.option("--reason", type=click.Choice(REASONS), required=True)
@data_option
def revoke(serial: str, reason: str, data: Path | None) -> None:
    """Revoke the certificate with this SERIAL number. Links of this host refuse it at once and end the ones it has open; others
    learn it from the next list (the command crl).
    """
    with _work(data) as work:
        service.revoke(work.session, work.actor, serial, reason)
    click.echo(f"{serial}: revoked, out of force here; publish a new list for others: liandun crypto ca crl")


@ca.command("take-list")
@click.argument("label")
@click.argument("file", type=path_type)
@click.option("--with", "others", multiple=True, type=path_type, help="Certificates of authorities below LABEL (again for more).")
@data_option
def take(label: str, file: Path, others: tuple[Path, ...], data: Path | None) -> None:
    """Take in the revocation list in FILE, of the trusted authority LABEL or of one below it: links refuse what it revokes."""
    between = load_certificates(others)
    with _work(data) as work:
        row = take_list(work.session, work.actor, label, read_source(file), between)
    click.echo(f"{visible(row.subject)}: list {row.number or 'without a number'} is in force, next one by {row.next_update[:10]}")


@ca.command("crl")
@click.option("--days", type=click.IntRange(1, 365), default=7, show_default=True, help="Until when the next one comes.")
@_authority_option
@out_option
@data_option
def crl(days: int, authority: str, out: Path | None, data: Path | None) -> None:
    """Write the next revocation list (PEM)."""
    with _work(data) as work:
        written = service.write_list(work.session, work.actor, work.key, authority, days)
    write_out(out, written.to_pem().encode())


@ca.command("list")
@data_option
def list_certificates(data: Path | None) -> None:
    """All certificates, those that end first at the top, and warnings."""
    with _work(data) as work:
        for row in service.list_certificates(work.session):
            state = f"revoked {row.revoked_at[:10]} ({row.reason})" if row.revoked_at else f"until {row.not_after[:10]}"
            click.echo(f"{row.serial:>33}  {row.profile:10}  {state}  {visible(row.subject)}")
        for listed in lists_in_force(work.session):
            click.echo(f"list {listed.number or '-'} of {visible(listed.subject)}, next one by {listed.next_update[:10]}")
        for one in expiring(work.session, datetime.now(UTC), config_of(data).certificates.warn_days):
            told = "ends soon" if one.days_left else "HAS ENDED"
            click.echo(f"{told}: {visible(one.subject)} ({one.kind} {visible(one.place)}), {one.not_after:%Y-%m-%d}", err=True)
