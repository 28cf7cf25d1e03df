"""``./liandun accounts``: what somebody who holds the host may have to do — links for powers that nobody holds, lost factors — and
``answer``, with which the owner of an SM2 certificate logs in from elsewhere."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import click
from sqlalchemy import delete, select

from cli import acting
from crypto.sm2 import PrivateKey
from kernel.config import load_config
from kernel.db import Database, open_database, upgrade
from kernel.errors import LiandunError
from kernel.layout import Layout
from operations.accounts import links, listing, sessions
from operations.accounts import service as accounts
from operations.accounts.certificate_factor import FIRST_LINE
from operations.accounts.models import Factor, RecoveryCode, User
from operations.accounts.permissions import POWERS
from operations.audit import service as audit
from operations.audit.schema import Actor

data_option = click.option(
    "--data", type=click.Path(file_okay=False, path_type=Path), help="Data directory (default: LIANDUN_DATA, else var)."
)


@click.group()
def command() -> None:
    """Accounts, from the host: who can read the data directory can do this, and every act is in the audit trail."""


@command.command("list")
@data_option
def list_(data: Path | None) -> None:
    """All accounts: name, role, state, second factors."""
    with _opened(data).read() as session:
        cursor = ""
        while True:
            page = listing.list_accounts(session, limit=listing.MAX_PAGE, cursor=cursor)
            for one in page.accounts:
                state = "active" if one.active else f"off ({one.disabled_for or 'hand'})"
                click.echo(f"{one.name:<24} {one.role or '-':<12} {state:<14} {one.factors} second factors")
            cursor = page.cursor
            if not cursor:
                break
        missing = accounts.missing_powers(session)
    if missing:
        click.echo(f"nobody holds: {', '.join(missing)}   one-time links for them: ./liandun accounts links", err=True)


@command.command("links")
@data_option
def links_(data: Path | None) -> None:
    """Print a one-time link (24 h) for each power that no active account holds. Older ones stop working."""
    config = load_config()
    with _opened(data).write() as session:
        made = links.create_missing(session, _me())
    if not made:
        click.echo(f"every power is held ({', '.join(POWERS)}); accounts are made at the console's page Accounts")
        return
    base = config.console.public_url.rstrip("/") or f"http://127.0.0.1:{config.console.port}"
    for role, token in made.items():
        click.echo(f"{role:<12} {base}/setup?token={token}")


@command.command("reset-factor")
@click.argument("name")
@data_option
def reset_factor(name: str, data: Path | None) -> None:
    """Remove the second factors and recovery codes of NAME, who sets up new ones at the next log-in.

    For the only administrator of a power who lost everything; else two people do this in the console.
    """
    with _opened(data).write() as session:
        user = session.execute(select(User).where(User.name_key == name.casefold(), User.removed_at.is_(None))).scalar_one_or_none()
        if user is None:
            raise LiandunError(f"there is no account {name}", "see ./liandun accounts list")
        for table in (Factor, RecoveryCode):
            session.execute(delete(table).where(table.user_id == user.id))
        sessions.end_all(session, user.id)
        audit.append(session, _me(), "account.reset", "account", user.name, detail={"kind": "factors"})
    click.echo(f"{name}: second factors removed; a new one is asked for at the next log-in")


@command.command()
@click.argument("challenge", type=click.File("r", encoding="utf-8"), default="-")
@click.option("--key", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Private SM2 key, PEM.")
@click.option("--password-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Password of the key.")
def answer(challenge: click.utils.LazyFile, key: Path, password_file: Path | None) -> None:
    """Sign the text that the log-in page shows (from a file or standard input), and print what to paste there."""
    text = challenge.read()
    if not text.startswith(FIRST_LINE + "\n"):
        raise LiandunError("this is no challenge of Liandun", f"its first line is {FIRST_LINE}")
    told = dict(line.partition(": ")[::2] for line in text.splitlines()[1:])
    click.echo(f"signing for {told.get('account', '?')} at {told.get('for', '?')}, to {told.get('to', '?')}", err=True)
    password = password_file.read_text("utf-8").rstrip("\n") if password_file else None
    signature = PrivateKey.from_pem(key.read_text("ascii"), password).sign(text.encode())
    click.echo(base64.b64encode(signature).decode())


@command.command()
@click.argument("name")
@data_option
def show(name: str, data: Path | None) -> None:
    """One account as JSON."""
    with _opened(data).read() as session:
        user = session.execute(select(User).where(User.name_key == name.casefold())).scalar_one_or_none()
        if user is None:
            raise LiandunError(f"there is no account {name}", "see ./liandun accounts list")
        found = accounts.record(session, user)
    click.echo(json.dumps({field: getattr(found, field) for field in found.__struct_fields__}, ensure_ascii=False, indent=2))


def _opened(data: Path | None) -> Database:
    layout = Layout(data) if data is not None else Layout(load_config().data_dir)
    if not layout.has_state:
        raise LiandunError(f"{layout.root} holds no platform yet", "start it once: ./run, or name another with --data")
    database = open_database(layout.state_url)
    upgrade(database)
    return database


def _me() -> Actor:
    return Actor(f"host:{acting.user_name()}")
