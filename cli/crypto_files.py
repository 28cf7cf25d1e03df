"""Keys, passwords and files of ``liandun crypto``: read in every usual form, written so that secrets stay secret."""

from __future__ import annotations

import base64
import binascii
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import click

from crypto.errors import CryptoError, WrongPasswordError
from crypto.sm2 import PrivateKey, PublicKey
from kernel.errors import LiandunError

_STDIN = Path("-")
_PIECE = 1 << 20
TEXTS = ("binary", "hex", "base64")

_path = click.Path(dir_okay=False, path_type=Path)
Command = Callable[..., Any]
_Key = TypeVar("_Key")

source_argument = click.argument("source", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path), default="-")
out_option = click.option(
    "--out", "-o", type=click.Path(dir_okay=False, path_type=Path), help="Write here instead of to standard output."
)
text_option = click.option(
    "--text", type=click.Choice(TEXTS), default="binary", help="How the bytes are written (or read): binary, hex or base64."
)
ident_option = click.option("--ident", help="The signer's identifier (default: 1234567812345678, as everybody's).")


def password_options(command: Command) -> Command:
    """--password-file and --password-env: a password never stands in the command line, which other users can see."""
    for option in (
        click.option("--password-env", metavar="NAME", help="Take the password from this environment variable."),
        click.option("--password-file", type=_path, help="Take the password from the first line of this file."),
    ):
        command = option(command)
    return command


def read_password(file: Path | None, variable: str | None, ask: str, confirm: bool = False) -> str:
    """From the file, the variable, or the person at the terminal."""
    if file is not None:
        return _first_line(file)
    if variable is not None:
        if not os.environ.get(variable):
            raise LiandunError(f"the environment variable {variable} is not set")
        return os.environ[variable]
    if not sys.stdin.isatty():
        raise LiandunError("a password is needed and nobody can be asked", "use --password-file or --password-env")
    return str(click.prompt(ask, hide_input=True, confirmation_prompt=confirm, err=True))


def _first_line(file: Path) -> str:
    try:
        lines = read_source(file).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise LiandunError(f"{file}: the password is not UTF-8 text") from error
    if not lines or not lines[0]:
        raise LiandunError(f"{file}: its first line is empty", "write the password there")
    return lines[0]


def read_source(path: Path) -> bytes:
    """A whole file, or standard input for ``-``."""
    try:
        return sys.stdin.buffer.read() if path == _STDIN else path.read_bytes()
    except OSError as error:
        raise LiandunError(f"{path} cannot be read: {error.strerror}") from error


def open_source(path: Path) -> BinaryIO:
    try:
        return sys.stdin.buffer if path == _STDIN else path.open("rb")
    except OSError as error:
        raise LiandunError(f"{path} cannot be read: {error.strerror}") from error


def pieces(path: Path) -> Iterator[bytes]:
    """A file of any size in pieces of a megabyte."""
    with open_source(path) as file:
        while piece := file.read(_PIECE):
            yield piece


def read_private_key(path: Path, file: Path | None, variable: str | None) -> PrivateKey:
    """PEM or DER (PKCS#8, encrypted or not; SEC 1), or 64 hex digits. Asks for the password only where one is needed."""
    octets = read_source(path)
    try:
        return _private_key(octets, None)
    except WrongPasswordError:
        password = read_password(file, variable, f"Password of {path}")
        return _named(path, lambda: _private_key(octets, password))
    except CryptoError as error:
        raise CryptoError(f"{path}: {error}") from error


def read_public_key(path: Path) -> PublicKey:
    """PEM or DER (SubjectPublicKeyInfo), or hex: 04 x y, 02|03 x, or x y without prefix as gmssl prints it."""
    octets = read_source(path)
    return _named(path, lambda: _public_key(octets))


def read_symmetric_key(path: Path) -> bytes:
    """16 bytes as they are, or as 32 hex digits."""
    octets = read_source(path)
    if len(octets) == 16:
        return octets
    try:
        key = bytes.fromhex(octets.decode("ascii").strip())
    except ValueError:
        key = b""
    if len(key) != 16:
        raise CryptoError(f"{path}: an SM4 key is 16 bytes, or 32 hex digits")
    return key


def write_secret(path: Path, octets: bytes, force: bool) -> None:
    """A private key or another secret: mode 0600 from the first byte on, complete or not at all, never over another file."""
    name = str(path)
    try:
        if force:
            handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600
        else:
            handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError as error:
        raise LiandunError(f"{path} exists and is not overwritten", "give another name, or --force") from error
    except OSError as error:
        raise LiandunError(f"{path} cannot be written: {error.strerror}") from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(octets)
            file.flush()
            os.fsync(file.fileno())
        if force:
            os.replace(name, path)
    except BaseException as error:
        Path(name).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise LiandunError(f"{path} cannot be written: {error.strerror}") from error
        raise


def write_out(path: Path | None, octets: bytes, text: str = "binary", secret: bool = False) -> None:
    """To ``path``, or to standard output; ``secret`` ones with mode 0600."""
    octets = to_text(octets, text)
    if path is None:
        sys.stdout.buffer.write(octets)
        sys.stdout.buffer.flush()
    elif secret:
        write_secret(path, octets, force=True)
    else:
        try:
            path.write_bytes(octets)
        except OSError as error:
            raise LiandunError(f"{path} cannot be written: {error.strerror}") from error


def to_text(octets: bytes, text: str) -> bytes:
    if text == "hex":
        return octets.hex().encode() + b"\n"
    return base64.b64encode(octets) + b"\n" if text == "base64" else octets


def from_text(octets: bytes, text: str) -> bytes:
    try:
        if text == "hex":
            return bytes.fromhex(octets.decode("ascii"))
        return base64.b64decode(b"".join(octets.split()), validate=True) if text == "base64" else octets
    except (ValueError, binascii.Error) as error:
        raise LiandunError(f"the input is not {text}") from error


def _private_key(octets: bytes, password: str | None) -> PrivateKey:
    if b"-----BEGIN" in octets:
        return PrivateKey.from_pem(octets, password)
    scalar = _hex(octets)
    return PrivateKey.from_scalar(scalar) if scalar else PrivateKey.from_der(octets, password)


def _public_key(octets: bytes) -> PublicKey:
    if b"-----BEGIN" in octets:
        return PublicKey.from_pem(octets)
    point = _hex(octets)
    if not point:
        return PublicKey.from_der(octets)
    return PublicKey.from_bytes(b"\x04" + point if len(point) == 64 else point)


def _hex(octets: bytes) -> bytes:
    """The bytes of a text of hex digits; nothing where it is another form (DER begins with 0x30, also the digit 0)."""
    try:
        return bytes.fromhex(octets.decode("ascii"))
    except ValueError:
        return b""


def _named(path: Path, read: Callable[[], _Key]) -> _Key:
    try:
        return read()
    except CryptoError as error:
        raise type(error)(f"{path}: {error}") from error
