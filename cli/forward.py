"""``liandun forward``: send what this host collects to another Liandun, over a link with certificates on both sides."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import click

from cli.roles.health import tell_health
from cli.roles.links import credentials_of
from cli.roles.process import log_to_stderr, stop_event
from collectors.links.forwarder import Forwarder
from crypto.channel.link import Credentials, Link, Suite
from crypto.channel.process import enter
from kernel.config import load_config
from kernel.errors import ConfigError, LiandunError
from kernel.layout import Layout
from kernel.spool import SpoolReader
from kernel.spool.ledger import LedgerEntry

_file = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--to", "target", required=True, metavar="HOST:PORT", help="An https listener of the other side.")
@click.option("--name", help="What its certificate must answer to (default: HOST).")
@click.option("--suite", type=click.Choice(["domestic", "classic", "tlcp"]), default="domestic", show_default=True)
@click.option("--certificate", type=_file, help="Certificate of this host (PEM); default: [links] of the configuration.")
@click.option("--key", type=_file, help="Its private key.")
@click.option("--ca", type=_file, help="What the other side's certificate must descend from.")
@click.option("--crl", type=_file, help="Revocation list.")
@click.option("--release", is_flag=True, help="This host keeps no events itself: remove from the spool what was acknowledged.")
@click.option("--once", is_flag=True, help="End when all that is there now is acknowledged.")
@click.option("--forget", is_flag=True, help="Do not forward: stop keeping records for this target.")
def command(
    target: str,
    name: str | None,
    suite: Suite,
    certificate: Path | None,
    key: Path | None,
    ca: Path | None,
    crl: Path | None,
    release: bool,
    once: bool,
    forget: bool,
) -> None:
    """Send what this host collects to another Liandun, over a link with certificates on both sides (docs/links.md)."""
    host, port = host_and_port(target)
    config = load_config()
    layout = Layout(config.data_dir).create()
    ledger = LedgerEntry(layout.spool, re.sub(r"[^A-Za-z0-9.-]", "_", target))
    if forget:
        ledger.remove()
        return
    given = Credentials(certificate, key, ca, crl) if certificate and key and ca else credentials_of(config.links)
    if not (given.certificate and given.key and given.ca):
        raise ConfigError("forwarding needs a certificate, its key and a CA", "set them in [links], or --certificate --key --ca")
    enter(layout.links, classic=suite == "classic")
    log_to_stderr("forward")
    forwarder = Forwarder(SpoolReader(layout.spool), ledger, _connector(host, port, name, suite, given), release=release)
    tell_health(layout, "forward", forwarder.details, lambda: forwarder.problem)
    forwarder.run(stop_event(), until_empty=once)


def _connector(host: str, port: int, name: str | None, suite: Suite, credentials: Credentials) -> Callable[[], Link]:
    """Opens a link; certificates are read anew each time."""

    def connect() -> Link:
        if suite == "tlcp":
            from crypto.channel import tlcp

            return tlcp.connect(host, port, tlcp.TlcpContext(credentials, server=False), name=name)
        from crypto.channel import tls13

        return tls13.connect(host, port, tls13.Tls13Context(credentials, server=False, suite=suite), name=name)

    return connect


def host_and_port(text: str) -> tuple[str, int]:
    """``host:port``, ``[2001:db8::1]:port``. Raises LiandunError."""
    found = re.fullmatch(r"(?:\[([0-9A-Fa-f:.%\w]+)\]|([^\[\]:]+)):([0-9]{1,5})", text)
    if found is None or not 1 <= int(found[3]) <= 65535:
        raise LiandunError(f"{text!r} is no HOST:PORT", "an IPv6 address stands in brackets: [2001:db8::1]:6515")
    host = found[1] or found[2]
    try:
        host.encode("idna")
    except UnicodeError as error:
        raise LiandunError(f"{host!r} is no name of a host", "its labels have 1 to 63 characters") from error
    return host, int(found[3])
