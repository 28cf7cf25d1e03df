"""``liandun crypto seal`` and ``open``: files of any size under SM4-GCM, for SM2 keys, passwords or a key file."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from cli.crypto_files import (
    open_source,
    out_option,
    password_options,
    read_password,
    read_private_key,
    read_public_key,
    read_symmetric_key,
    source_argument,
)
from crypto.stream import appearing, open_stream, seal_stream
from crypto.wraps import ForKey, ForPassword, ForPublicKey, Opener, Recipient, WithKey, WithPassword, WithPrivateKey
from kernel.errors import LiandunError

_path = click.Path(dir_okay=False, path_type=Path)


def _context_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--context", default="", help="What this file is; it opens only under the same words.")(command)


@click.command("seal")
@click.option("--to", multiple=True, type=_path, help="For the holder of this SM2 public key (may be given several times).")
@click.option("--password", is_flag=True, help="For those who know a password (asked, or from --password-file/--password-env).")
@click.option("--key-file", type=_path, help="For those who have this key file (16 bytes or 32 hex digits).")
@_context_option
@out_option
@password_options
@source_argument
def seal_command(
    source: Path,
    to: tuple[Path, ...],
    password: bool,
    key_file: Path | None,
    context: str,
    out: Path | None,
    password_file: Path | None,
    password_env: str | None,
) -> None:
    """Encrypt SOURCE so that every change, cut or re-ordering is noticed when it is opened."""
    recipients: list[Recipient] = [ForPublicKey(read_public_key(path)) for path in to]
    if password or password_file or password_env:
        recipients.append(ForPassword(read_password(password_file, password_env, "New password", confirm=True)))
    if key_file is not None:
        recipients.append(ForKey(read_symmetric_key(key_file)))
    if not recipients:
        raise LiandunError("for whom?", "give --to PUBLIC-KEY, --password or --key-file")
    with open_source(source) as plain:
        if out is None:
            seal_stream(plain, sys.stdout.buffer, recipients, context)
            sys.stdout.buffer.flush()
            return
        with appearing(out) as sealed:
            seal_stream(plain, sealed, recipients, context)


@click.command("open")
@click.option("--key", "-k", type=_path, help="Open with this SM2 private key.")
@click.option("--password", is_flag=True, help="Open with a password (asked, or from --password-file/--password-env).")
@click.option("--key-file", type=_path, help="Open with this key file.")
@_context_option
@out_option
@password_options
@source_argument
def open_command(
    source: Path,
    key: Path | None,
    password: bool,
    key_file: Path | None,
    context: str,
    out: Path | None,
    password_file: Path | None,
    password_env: str | None,
) -> None:
    """Open a sealed SOURCE. Nothing is written anywhere before the whole of it was found unchanged."""
    opener = _opener(key, password, key_file, password_file, password_env)
    with open_source(source) as sealed:
        if out is not None:
            with appearing(out) as plain:
                for piece in open_stream(sealed, opener, context):
                    plain.write(piece)
            return
        with tempfile.TemporaryFile() as plain:  # has no name, so nothing stays whatever happens
            for piece in open_stream(sealed, opener, context):
                plain.write(piece)
            plain.seek(0)
            shutil.copyfileobj(plain, sys.stdout.buffer, 1 << 20)
    sys.stdout.buffer.flush()


def _opener(
    key: Path | None, password: bool, key_file: Path | None, password_file: Path | None, password_env: str | None
) -> Opener:
    if key is not None:
        return WithPrivateKey(read_private_key(key, password_file, password_env))
    if key_file is not None:
        return WithKey(read_symmetric_key(key_file))
    if password or password_file or password_env:
        return WithPassword(read_password(password_file, password_env, "Password"))
    raise LiandunError("with what?", "give --key PRIVATE-KEY, --password or --key-file")
