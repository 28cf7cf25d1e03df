"""``./liandun audit``: verify the audit trail, prove entries, sign and show heads, export, purge (docs/audit-log.md)."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cli import acting
from cli.data_directory import config_of
from crypto.errors import SecretError
from kernel.config import Config
from kernel.db import Database, open_database, upgrade
from kernel.errors import StateUnavailable
from kernel.event import parse_timestamp
from kernel.layout import Layout
from kernel.master_key import open_master_key
from operations.accounts.keys import principal_of_key
from operations.accounts.schema import Principal
from operations.audit import service, tree
from operations.audit.copies import copies
from operations.audit.export import write_bundle
from operations.audit.head_file import HeadFile, parse_lines
from operations.audit.heads import Trail, TrailBroken, log_id, stored_heads, stored_keys
from operations.audit.keys import KeyProblem, KeyStore
from operations.audit.purge import MINIMUM_DAYS, purge
from operations.audit.schema import Actor, SignedHead, Verification
from operations.audit.verify import head_before, verify
from operations.errors import Denied

KEY_VARIABLE = "LIANDUN_KEY"
_DATA = click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="Data directory, default as configured.")
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
_DAYS = re.compile(r"([0-9]{1,5})d")


class Opened:
    """The database of a data directory and what belongs to its trail."""

    def __init__(self, config: Config, layout: Layout, *, change: bool) -> None:
        self.layout = layout
        self._config = config
        self.database: Database = open_database(layout.state_url)
        if change:
            upgrade(self.database)
        self.head_file = HeadFile(layout.audit_heads)

    def trail(self) -> Trail:
        key = open_master_key(self._config)
        return Trail(self.database, self.head_file, KeyStore(self.layout.master_key.parent, key))

    def sign(self) -> str:
        """Sign a head if the trail has grown; why that could not be done ("" if it was)."""
        try:
            self.trail().sign()
        except (TrailBroken, KeyProblem, SecretError, OSError, StateUnavailable) as error:
            return str(error)
        return ""


@contextlib.contextmanager
def _opened(data: Path | None, *, change: bool = True) -> Iterator[Opened]:
    config = config_of(data)
    layout = Layout(config.data_dir)
    if not layout.has_state:
        raise click.ClickException(f"{layout.root}: there is no platform in this data directory (choose another with --data)")
    opened = Opened(config, layout.create() if change else layout, change=change)
    try:
        yield opened
    finally:
        opened.database.close()


@click.group()
def command() -> None:
    """The audit trail: verify, prove, export, purge (docs/audit-log.md)."""


@command.command("verify")
@click.option("--since", metavar="TIME|ID", help="Begin with the last head signed at or before TIME, or of at most ID entries.")
@click.option(
    "--export", "target", type=click.Path(dir_okay=False, path_type=Path), help="Also write a bundle that verifies offline."
)
@click.option("--heads", "kept", type=click.File("rb"), help="Heads that another machine has kept (head file or syslog file).")
@click.option("--key", default="", metavar="ID", help="Id of the trail's first key as noted elsewhere.")
@click.option("--read-only", is_flag=True, help="Write nothing: no entry about this, no new head (for copies and evidence).")
@_JSON
@_DATA
def verify_command(
    since: str | None, target: Path | None, kept: Any, key: str, read_only: bool, as_json: bool, data: Path | None
) -> None:
    """Verify every entry, the tree, the keys and all signed heads. Exit code 0: sound; 1: not, the first bad entry is named."""
    with _opened(data, change=not read_only) as opened:
        outside = parse_lines(kept.read() + b"\n").heads if kept else []
        with opened.database.read() as session, _progress("verifying") as progress:
            begin = _begin(session, since) if since else None
            found = verify(session, head_file=opened.head_file.read(), copies=outside, since=begin, key=key, progress=progress)
            log = log_id(stored_keys(session))
        if not read_only:
            _write_down(opened, "audit.verify", found)
        if target is not None:
            _export(opened, target, begin, read_only)
    if as_json:
        click.echo(json.dumps({"ok": found.ok, "key": log, **msgspec.to_builtins(found)}, ensure_ascii=False))
    else:
        for line in found.findings:
            click.echo(line)
        click.echo(f"{found.checked} entries in order, {found.heads} signed heads fit; first key {log or '-'}")
    if not found.ok:
        raise click.ClickException(f"the audit trail is not what was written: entry {found.bad_id}: {found.reason}")
    if not as_json:
        click.echo("sound")


@command.command("prove")
@click.argument("entry", type=click.IntRange(1))
@_JSON
@_DATA
def prove(entry: int, as_json: bool, data: Path | None) -> None:
    """Prove that ENTRY is in the tree of the last signed head. --json: a file for verify.py --proof of a bundle."""
    with _opened(data) as opened:
        if problem := opened.sign():
            click.echo(f"no new head: {problem}", err=True)
        with opened.database.read() as session:
            keys = stored_keys(session)
            heads = stored_heads(session, log_id(keys), newest=1)
            if not heads or heads[0].size < entry:
                raise click.ClickException(f"no signed head covers entry {entry}")
            proof = tree.prove_inclusion(session, entry, heads[0].size)
    told = msgspec.to_builtins(proof) | {"head": msgspec.to_builtins(heads[0]), "keys": msgspec.to_builtins(keys)}
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    click.echo(f"entry  {proof.entry or '(purged, its leaf stays)'}")
    click.echo(f"leaf   {proof.leaf}  (number {entry} of {proof.size})")
    for step in proof.path:
        click.echo(f"path   {step}")
    click.echo(f"root   {proof.root}  signed {heads[0].time} by {heads[0].key_id}")


@command.command("heads")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1_000_000))
@click.option("--sign", is_flag=True, help="Sign a head now, if the trail has grown.")
@_JSON
@_DATA
def heads_command(limit: int, sign: bool, as_json: bool, data: Path | None) -> None:
    """Show the newest signed heads, the keys, and how far copies outside of the database have got."""
    with _opened(data) as opened:
        if sign:
            opened.trail().sign()
        with opened.database.read() as session:
            keys, state, places = stored_keys(session), tree.state(session), copies(session)
            heads = stored_heads(session, log_id(keys), newest=limit)
    if as_json:
        told = {"tree": state, "keys": keys, "heads": heads, "copies": places}
        click.echo(msgspec.json.encode(told).decode())
        return
    click.echo(f"tree   {state.size} entries, root {state.root}")
    for key in keys:
        click.echo(f"key    {key.number}  {key.id}  since {key.time}, signs after entry {key.from_size}")
    for head in heads:
        click.echo(f"head   {head.size}  {head.time}  {head.root}  {head.key_id}")
    for place in places:
        click.echo(
            f"copy   {place.place}: {place.size} entries at {place.time}" + (f"  PROBLEM: {place.error}" if place.error else "")
        )


@command.command("rotate-key")
@_DATA
def rotate_key(data: Path | None) -> None:
    """Replace the signing key: the old one endorses the new one and is erased."""
    with _opened(data) as opened:
        made = opened.trail().rotate(_me())
    click.echo(f"key {made.number} {made.id}, endorsed by {made.endorsed_by}")


@command.command("purge")
@click.option("--older-than", "age", required=True, metavar="DAYSd", help=f"e.g. 200d; fewer than {MINIMUM_DAYS} days are refused.")
@_DATA
def purge_command(age: str, data: Path | None) -> None:
    """Remove the oldest entries by age; their leaves stay, so that all proofs go on holding.

    Needs an API key with scope write of an account with the audit power: in LIANDUN_KEY, or it is asked for.
    """
    match = _DAYS.fullmatch(age)
    if match is None:
        raise click.BadParameter("write days as e.g. 200d", param_hint="--older-than")
    with _opened(data) as opened:
        gone = purge(opened.database, _principal(opened.database), int(match[1]))
        problem = opened.sign()
    click.echo(f"{gone} entries older than {match[1]} days removed")
    if problem:
        raise click.ClickException(f"no new head was signed: {problem}")


@command.command("restart")
@click.option("--reason", required=True, help="Why; it is written to the trail.")
@_DATA
def restart(reason: str, data: Path | None) -> None:
    """Go on after the database was restored from a backup: the head file is put aside, a new one begins with what the database has.

    Needs an API key like purge. Heads that other machines have kept go on telling which entries were lost.
    """
    with _opened(data) as opened:
        aside = opened.trail().restart(_principal(opened.database), reason)
    click.echo(f"signing goes on; the replaced head file is kept as {aside}")


def _principal(database: Database) -> Principal:
    """Whoever the API key of the environment, or the one that is asked for, belongs to."""
    token = os.environ.get(KEY_VARIABLE) or click.prompt("API key", hide_input=True, err=True)
    who = principal_of_key(database, token.strip())
    if who is None:
        raise Denied("the API key is unknown, expired or revoked", "make one in the console")
    return who


def _begin(session: Any, since: str) -> SignedHead:
    if since.isdecimal():
        return head_before(session, size=int(since))
    moment = parse_timestamp(since if "T" in since or " " in since.strip() else f"{since}T00:00:00")
    if moment is None:
        raise click.BadParameter("write a time (2026-11-23, 2026-11-23T08:00:00+08:00) or an entry's number", param_hint="--since")
    return head_before(session, moment=moment)


def _export(opened: Opened, target: Path, begin: SignedHead | None, read_only: bool) -> None:
    if not read_only:
        with contextlib.suppress(StateUnavailable), opened.database.write() as session:
            service.append(session, _me(), "audit.export", "audit", detail={"bundle": target.name})
        if problem := opened.sign():
            click.echo(f"no new head: {problem}", err=True)
    with opened.database.read() as session, _progress("exporting") as progress:
        number = write_bundle(session, target, since=begin, progress=progress)
    click.echo(f"{number} entries written to {target}", err=True)


def _write_down(opened: Opened, action: str, found: Verification) -> None:
    """That it was verified is an entry, too; a trail that cannot be written can still be verified."""
    detail = {name: value for name, value in msgspec.to_builtins(found).items() if value}
    try:
        with opened.database.write() as session:
            service.append(session, _me(), action, "audit", result="success" if found.ok else "failure", detail=detail)
    except (StateUnavailable, ValueError) as error:
        click.echo(f"this verification could not be written to the trail: {error}", err=True)


def _me() -> Actor:
    return acting.actor()


@contextlib.contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal, nothing elsewhere."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
