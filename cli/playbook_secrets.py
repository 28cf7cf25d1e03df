"""``./liandun playbook secret``: secrets that playbooks name, in the sealed store of a platform (docs/playbooks.md, Secrets)."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
import msgspec

from cli import acting
from cli.data_directory import config_of, state_of
from cli.terminal import visible
from kernel.errors import LiandunError
from kernel.master_key import open_master_key
from operations.audit.schema import Actor
from playbooks.vault import service as vault

_DATA = click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Data directory, default as configured.")


@click.group("secret")
def secret_group() -> None:
    """Secrets that playbooks name as kms_key_identifier. No command shows one."""


@secret_group.command("set")
@click.argument("name")
@click.option(
    "--host", "hosts", multiple=True, help="May be sent there: gw.example.cn, *.example.cn:8443, [2001:db8::7]:443. Again for more."
)
@_DATA
def set_command(name: str, hosts: tuple[str, ...], data: Path | None) -> None:
    """Set or replace the secret NAME: asked for at a terminal, else all of standard input (a single line without its end).

    No server that a playbook names gets it but those of --host. Without --host a replaced secret keeps its hosts, a new one has
    none.
    """
    value = _asked(name) if sys.stdin.isatty() else _piped()
    config = config_of(data)
    with state_of(config) as database:
        key = open_master_key(config)
        with database.write() as session:
            record = vault.set_secret(session, _actor(), key, name, value, hosts or None)
    click.echo(f"the secret {visible(name)} is set, {_for(record)}")


@secret_group.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@_DATA
def list_command(as_json: bool, data: Path | None) -> None:
    """Names, the hosts that each may be sent to, and who set it when."""
    with state_of(config_of(data)) as database, database.read() as session:
        found = vault.names(session)
    if as_json:
        click.echo(json.dumps([msgspec.to_builtins(one) for one in found], ensure_ascii=False))
        return
    for one in found:
        click.echo(visible(f"{one.name}   {_for(one)}   set {one.updated_at[:19]}Z by {one.updated_by}"))


@secret_group.command("remove")
@click.argument("name")
@_DATA
def remove_command(name: str, data: Path | None) -> None:
    """Forget the secret NAME; steps that name it fail from now on."""
    with state_of(config_of(data)) as database, database.write() as session:
        vault.remove_secret(session, _actor(), name)
    click.echo(f"the secret {visible(name)} is removed")


def _for(record: vault.SecretRecord) -> str:
    return f"for {', '.join(record.hosts)}" if record.hosts else "for no host that a playbook names"


def _asked(name: str) -> str:
    return str(click.prompt(f"Secret {visible(name)}", hide_input=True, confirmation_prompt=True, err=True))


def _piped() -> str:
    octets = sys.stdin.buffer.read(4 * vault.MAX_VALUE + 1)
    try:
        text = octets.decode()
    except UnicodeDecodeError as error:
        raise LiandunError("standard input is not UTF-8", "give binary keys as PEM") from error
    line = text.removesuffix("\n").removesuffix("\r")
    return line if "\n" not in line else text


def _actor() -> Actor:
    return acting.actor()
