"""``./liandun playbook host-keys``: which keys a host shows for SSH, and taking one over into ``[playbooks] known_hosts``."""

from __future__ import annotations

import json
import time
from pathlib import Path

import click

from cli import acting
from cli.data_directory import config_of, state_of
from cli.terminal import visible
from kernel.config import Config
from kernel.errors import LiandunError
from playbooks.actions import host_keys, ssh_host
from playbooks.actions.contract import Context
from playbooks.actions.host_keys import Seen
from playbooks.actions.ssh_host import SshHost

_SECONDS = 60.0
_STANDINGS = {"known": "known", "new": "not known", "changed": "CHANGED", "revoked": "REVOKED"}


@click.command("host-keys")
@click.argument("host", metavar="HOST[:PORT]")
@click.option("--accept", metavar="SHA256:…", help="Write the key with this fingerprint into [playbooks] known_hosts.")
@click.option("--replace", is_flag=True, help="With --accept: the host has been given a new key, the old one of its kind goes.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Data directory, default as configured.")
def host_keys_command(host: str, accept: str | None, replace: bool, as_json: bool, data: Path | None) -> None:
    """Show the fingerprints of the keys that HOST shows now: a name, an address, [2001:db8::7]:2222.

    Whoever answers at that address shows them: compare with the host's own console (ssh-keygen -lf
    /etc/ssh/ssh_host_ed25519_key.pub) before you --accept one. Exit code 1 where a key differs from the known one.
    """
    config = config_of(data)
    there, context = ssh_host.written(host), Context(time.monotonic() + _SECONDS)
    seen = host_keys.compare(config.playbooks.known_hosts, there, host_keys.scan(there, context), context)
    if accept is not None:
        _accept(config, there, seen, accept, replace)
        return
    if as_json:
        click.echo(json.dumps([_as_json(one) for one in seen], ensure_ascii=False))
    else:
        click.echo(f"{visible(there.shown())} shows:")
        for one in seen:
            click.echo(f"  {one.key.fingerprint}  {visible(one.key.kind)}  {_told(one)}")
    if any(one.standing in ("changed", "revoked") for one in seen):
        raise click.exceptions.Exit(1)


def _accept(config: Config, there: SshHost, seen: list[Seen], fingerprint: str, replace: bool) -> None:
    path = config.playbooks.known_hosts
    if path is None:
        raise LiandunError("there is no file of host keys", 'name one in the configuration: [playbooks] known_hosts = "/etc/…"')
    actor = acting.actor()
    with state_of(config) as database, database.write() as session:
        taken = host_keys.accept(session, actor, path, there, seen, fingerprint, replace=replace)
    if taken.standing == "known":
        click.echo(f"{visible(there.shown())}: this key is known already")
    else:
        click.echo(f"{visible(there.shown())}: {taken.key.kind} {taken.key.fingerprint} is written to {visible(str(path))}")


def _told(one: Seen) -> str:
    told = _STANDINGS[one.standing]
    if one.standing == "changed":
        told += ": known is " + ", ".join(f"{line.key.fingerprint} (line {line.number})" for line in one.lines)
    return told


def _as_json(one: Seen) -> dict[str, object]:
    known = [line.key.fingerprint for line in one.lines]
    return {"kind": one.key.kind, "fingerprint": one.key.fingerprint, "standing": one.standing, "known": known}
