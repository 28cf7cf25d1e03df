"""``liandun crypto cert`` and ``csr``: look at certificates and check them; ask for one (docs/certificates.md)."""

from __future__ import annotations

from pathlib import Path

import click

from cli.certificate_files import describe, load_certificates, load_lists, path_type, read_moment
from cli.crypto_files import out_option, password_options, read_private_key, read_source, write_out
from cli.terminal import visible
from crypto.certificates import Request, check_chain, make_request, name
from kernel.errors import LiandunError


@click.group("cert")
def cert() -> None:
    """SM2 certificates: show, verify."""


@cert.command("show")
@click.argument("files", nargs=-1, required=True, type=path_type)
def show_certificates(files: tuple[Path, ...]) -> None:
    """What the certificates in FILES say. Nothing of it is checked: see the command verify."""
    click.echo("\n\n".join(describe(one) for one in load_certificates(files)))


@cert.command("verify")
@click.argument("file", type=path_type)
@click.option("--trust", "-t", multiple=True, required=True, type=path_type, help="Trusted certificates (may be given again).")
@click.option("--with", "others", multiple=True, type=path_type, help="Certificates in between, not trusted by themselves.")
@click.option("--crl", multiple=True, type=path_type, help="Revocation lists.")
@click.option("--crl-needed", is_flag=True, help="Refuse where an issuer has no current revocation list.")
@click.option("--name", "host", help="The DNS name, address or URI that it must be of.")
@click.option("--usage", help="The key usage that it must have, for example digital_signature.")
@click.option("--extended", help="The extended key usage that it must have, for example server_auth.")
@click.option("--at", help="The time to check for (default: now).")
def verify_certificate(
    file: Path,
    trust: tuple[Path, ...],
    others: tuple[Path, ...],
    crl: tuple[Path, ...],
    crl_needed: bool,
    host: str | None,
    usage: str | None,
    extended: str | None,
    at: str | None,
) -> None:
    """Follow the first certificate of FILE to a trusted one; the rest of FILE may stand in between."""
    leaf, *chain = load_certificates([file])
    between = [*chain, *load_certificates(others)]
    moment = read_moment(at)
    path = check_chain(leaf, between, load_certificates(trust), moment, host, usage, extended, load_lists(crl), crl_needed)
    click.echo(f"{file}: good")
    for one in path:
        click.echo(f"  {visible(one.subject)}, until {one.not_after:%Y-%m-%d}")


@click.group("csr")
def csr() -> None:
    """Certification requests: make, show, check."""


@csr.command("make")
@click.option("--key", "-k", required=True, type=path_type, help="The private key that asks.")
@click.option("--cn", required=True, help="Common name.")
@click.option("--o", "organization", default="", help="Organization.")
@click.option("--ou", "unit", default="", help="Unit.")
@click.option("--c", "country", default="", help="Country, two letters.")
@click.option("--san", multiple=True, help="DNS name, address or URI (may be given again).")
@out_option
@password_options
def make(
    key: Path,
    cn: str,
    organization: str,
    unit: str,
    country: str,
    san: tuple[str, ...],
    out: Path | None,
    password_file: Path | None,
    password_env: str | None,
) -> None:
    """Write a request (PEM) for a certificate of --key."""
    private = read_private_key(key, password_file, password_env)
    write_out(out, make_request(private, name(cn, organization, unit, country), san).to_pem().encode())


@csr.command("show")
@click.argument("file", type=path_type)
def show_request(file: Path) -> None:
    """What the request in FILE says."""
    request = _request(file)
    click.echo(f"subject        {visible(request.subject)}\nnames          {visible(', '.join(request.alternatives)) or 'none'}")
    click.echo(f"public key     {request.public_key.to_bytes(compressed=True).hex()}")


@csr.command("check")
@click.argument("file", type=path_type)
def check_request(file: Path) -> None:
    """Whether the request in FILE is signed by the key that it asks for (proof of possession)."""
    _request(file).check()
    click.echo(f"{file}: signed by its own key")


def _request(file: Path) -> Request:
    try:
        return Request(read_source(file))
    except ValueError as error:
        raise LiandunError(f"{file}: {error}") from error
