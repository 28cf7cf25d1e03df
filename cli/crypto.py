"""``liandun crypto``: SM2, SM3 and SM4 on files, in the formats of the ``openssl`` and ``gmssl`` command lines (docs/crypto.md)."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import cast, get_args

import click

from cli.crypto_authority import ca
from cli.crypto_certificates import cert, csr
from cli.crypto_checks import selftest, vectors
from cli.crypto_files import (
    from_text,
    ident_option,
    out_option,
    password_options,
    pieces,
    read_password,
    read_private_key,
    read_public_key,
    read_source,
    read_symmetric_key,
    source_argument,
    text_option,
    write_out,
    write_secret,
)
from cli.crypto_inventory import inventory
from cli.crypto_seal import open_command, seal_command
from crypto.errors import CryptoError
from crypto.pbes2 import KeyScheme
from crypto.sm2 import DEFAULT_IDENT, PrivateKey
from crypto.sm2.ciphertext import CiphertextEncoding
from crypto.sm2.digest import message_hasher
from crypto.sm2.signature import SignatureEncoding
from crypto.sm3 import Mac, sm3_hasher
from crypto.sm4 import BLOCK_SIZE, decrypt_cbc, encrypt_cbc
from kernel.errors import LiandunError

_path = click.Path(dir_okay=False, path_type=Path)


@click.group()
def command() -> None:
    """SM2, SM3 and SM4 on files, in the formats of the openssl and gmssl command lines (docs/crypto.md)."""


for _command in (seal_command, open_command, selftest, vectors, ca, cert, csr, inventory):
    command.add_command(_command)


@command.command()
@click.argument("files", nargs=-1, type=click.Path(dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--mac-key", type=_path, help="HMAC-SM3 under the bytes of this file instead of the plain digest.")
def digest(files: tuple[Path, ...], mac_key: Path | None) -> None:
    """SM3 of each FILE (or of standard input), a line each: digest, two spaces, name, as sha256sum writes it."""
    key = None if mac_key is None else read_source(mac_key)
    for path in files or (Path("-"),):
        hasher = Mac(key) if key is not None else sm3_hasher()
        for piece in pieces(path):
            hasher.update(piece)
        click.echo(f"{hasher.digest().hex()}  {path}")


@command.command()
@click.option("--out", "-o", type=_path, required=True, help="The new private key (PEM, mode 0600).")
@click.option("--public", type=_path, help="Also write its public key (PEM).")
@click.option(
    "--scheme",
    type=click.Choice(["plain", *get_args(KeyScheme)]),
    default="pbes2-sm3",
    help="Encryption: pbes2-sm3 (SM3, SM4; for GmSSL), gmt0091 (the same, domestic identifiers), "
    "pbes2-sm4 (SHA-256, SM4; for OpenSSL), pbes2-sha256 (SHA-256, AES; for all), plain.",
)
@click.option("--force", is_flag=True, help="Overwrite files that are there.")
@password_options
def keygen(out: Path, public: Path | None, scheme: str, force: bool, password_file: Path | None, password_env: str | None) -> None:
    """Make an SM2 key pair."""
    if public is not None and public.exists() and not force:
        raise LiandunError(f"{public} exists and is not overwritten", "give another name, or --force")
    key = PrivateKey.generate()
    if scheme == "plain":
        text = key.to_pem()
    else:
        password = read_password(password_file, password_env, f"New password of {out}", confirm=True)
        text = key.to_pem(password, cast(KeyScheme, scheme))
    write_secret(out, text.encode(), force)
    if public is not None:
        write_out(public, key.public.to_pem().encode())
    click.echo(f"{out}: public key {key.public.to_bytes(compressed=True).hex()}", err=True)


@command.command()
@click.argument("key", type=_path)
@click.option("--form", type=click.Choice(["pem", "der", "hex", "compressed"]), default="pem", help="How to write it.")
@out_option
@password_options
def public(key: Path, form: str, out: Path | None, password_file: Path | None, password_env: str | None) -> None:
    """The public key of the private or public KEY, in another form."""
    try:
        point = read_public_key(key)
    except CryptoError:
        point = read_private_key(key, password_file, password_env).public
    if form == "pem":
        write_out(out, point.to_pem().encode())
    elif form == "der":
        write_out(out, point.to_der())
    else:
        write_out(out, point.to_bytes(compressed=form == "compressed"), "hex")


@command.command()
@click.option("--key", "-k", type=_path, required=True, help="The private key (PEM, DER or hex).")
@click.option("--form", type=click.Choice(get_args(SignatureEncoding)), default="der", help="DER, or r and s in 64 bytes.")
@ident_option
@text_option
@out_option
@password_options
@source_argument
def sign(
    source: Path,
    key: Path,
    form: str,
    ident: str | None,
    text: str,
    out: Path | None,
    password_file: Path | None,
    password_env: str | None,
) -> None:
    """Sign SOURCE (a file, or standard input) with SM2."""
    private = read_private_key(key, password_file, password_env)
    e = _message_digest(private.public.to_bytes(), ident, source)
    write_out(out, private.sign_digest(e, cast(SignatureEncoding, form)), text)


@command.command()
@click.option("--public", "-p", "public_key", type=_path, required=True, help="The signer's public key (PEM, DER or hex).")
@click.option("--signature", "-s", type=_path, required=True, help="The signature.")
@click.option("--form", type=click.Choice(get_args(SignatureEncoding)), default="der", help="DER, or r and s in 64 bytes.")
@ident_option
@text_option
@source_argument
@click.pass_context
def verify(
    context: click.Context, source: Path, public_key: Path, signature: Path, form: str, ident: str | None, text: str
) -> None:
    """Check an SM2 signature of SOURCE: exit code 0 where it is good, 1 where it is not."""
    point = read_public_key(public_key)
    octets = from_text(read_source(signature), text)
    e = _message_digest(point.to_bytes(), ident, source)
    good = point.verify_digest(e, octets, cast(SignatureEncoding, form))
    click.echo(f"{source}: {'good signature' if good else 'BAD SIGNATURE'}")
    context.exit(0 if good else 1)


@command.command()
@click.option("--to", type=_path, help="Encrypt with SM2 for this public key (some kilobytes; for more use seal).")
@click.option("--sm4-key", type=_path, help="Encrypt with SM4-CBC under this key (as openssl enc -sm4-cbc does).")
@click.option("--iv", help="Initial vector of SM4-CBC, 32 hex digits (default: a random one, told on standard error).")
@click.option("--form", type=click.Choice(get_args(CiphertextEncoding)), default="der", help="Form of an SM2 ciphertext.")
@text_option
@out_option
@source_argument
def encrypt(source: Path, to: Path | None, sm4_key: Path | None, iv: str | None, form: str, text: str, out: Path | None) -> None:
    """Encrypt SOURCE in a form that other programs read. To protect files use the command seal."""
    _one_of(to, sm4_key, "--to", "--sm4-key")
    if to is not None:
        write_out(out, read_public_key(to).encrypt(read_source(source), cast(CiphertextEncoding, form)), text)
        return
    assert sm4_key is not None
    vector = _vector(iv) if iv else secrets.token_bytes(BLOCK_SIZE)
    if not iv:
        click.echo(f"iv: {vector.hex()}", err=True)
    write_out(out, encrypt_cbc(read_symmetric_key(sm4_key), vector, read_source(source)), text)


@command.command()
@click.option("--key", "-k", type=_path, help="Decrypt with this SM2 private key.")
@click.option("--sm4-key", type=_path, help="Decrypt SM4-CBC under this key.")
@click.option("--iv", help="Initial vector of SM4-CBC, 32 hex digits.")
@click.option("--form", type=click.Choice(get_args(CiphertextEncoding)), default="der", help="Form of an SM2 ciphertext.")
@text_option
@out_option
@password_options
@source_argument
def decrypt(
    source: Path,
    key: Path | None,
    sm4_key: Path | None,
    iv: str | None,
    form: str,
    text: str,
    out: Path | None,
    password_file: Path | None,
    password_env: str | None,
) -> None:
    """Inverse of the command encrypt; what is written to a file has mode 0600."""
    _one_of(key, sm4_key, "--key", "--sm4-key")
    ciphertext = from_text(read_source(source), text)
    if key is not None:
        private = read_private_key(key, password_file, password_env)
        write_out(out, private.decrypt(ciphertext, cast(CiphertextEncoding, form)), secret=True)
        return
    assert sm4_key is not None
    if not iv:
        raise LiandunError("SM4-CBC needs its initial vector", "--iv with 32 hex digits")
    write_out(out, decrypt_cbc(read_symmetric_key(sm4_key), _vector(iv), ciphertext), secret=True)


def _message_digest(point: bytes, ident: str | None, source: Path) -> bytes:
    """e of a file of any size."""
    hasher = message_hasher(point, DEFAULT_IDENT if ident is None else ident.encode())
    for piece in pieces(source):
        hasher.update(piece)
    return hasher.digest()


def _vector(iv: str) -> bytes:
    try:
        vector = bytes.fromhex(iv)
    except ValueError:
        vector = b""
    if len(vector) != BLOCK_SIZE:
        raise LiandunError("an initial vector is 32 hex digits")
    return vector


def _one_of(first: object, second: object, first_name: str, second_name: str) -> None:
    if (first is None) == (second is None):
        raise LiandunError(f"give either {first_name} or {second_name}")
