"""``./liandun playbook sign`` and ``verify``: signatures of playbooks by files of keys."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click
import msgspec

from cli.crypto_files import out_option, password_options, read_password, read_source, write_out
from cli.terminal import visible
from crypto.errors import WrongPasswordError
from kernel.errors import LiandunError
from playbooks.json_text import write_json
from playbooks.reading import read, read_document
from playbooks.signatures import AnyPrivate, Verdict, sign, verify
from playbooks.signing_keys import fingerprint_of, read_signing_key

_file = click.Path(exists=True, dir_okay=False, path_type=Path)
_FINGERPRINT = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)


@click.command("sign")
@click.argument("file", type=_file)
@click.option("--key", required=True, type=_file, help="Private key (PEM): SM2, RSA, P-256 or Ed25519.")
@click.option("--signee", required=True, help="Who signs, as people read it.")
@click.option("--created-by", default="", help="Identifier of who signs (identity--UUID); default: that of the playbook.")
@password_options
@out_option
def sign_command(
    file: Path, key: Path, signee: str, created_by: str, password_file: Path | None, password_env: str | None, out: Path | None
) -> None:
    """Add a signature to the playbook FILE and write the whole to --out (or the screen). Signatures in it stay."""
    playbook = read(read_source(file))
    signed = sign(playbook, _key(key, password_file, password_env), signee=signee, created_by=created_by)
    write_out(out, write_json(signed))
    verdict = verify(read_document(signed))[-1]
    click.echo(f"signed by {visible(signee)} with {verdict.algorithm}, key {verdict.fingerprint}", err=True)


def _key(path: Path, file: Path | None, variable: str | None) -> AnyPrivate:
    octets = read_source(path)
    try:
        return read_signing_key(octets)
    except WrongPasswordError:
        return read_signing_key(octets, read_password(file, variable, f"Password of {path}"))


@click.command("verify")
@click.argument("file", type=_file)
@click.option("--trust", multiple=True, metavar="FILE|FINGERPRINT", help="A key that counts: PEM key or certificate, or SHA-256.")
@click.option("--format", "form", type=click.Choice(("text", "json")), default="text", show_default=True)
def verify_command(file: Path, trust: tuple[str, ...], form: str) -> None:
    """Say what each signature of the playbook FILE is worth; exit 1 unless all are valid and one is of a trusted key.

    Without --trust every key counts: then a valid signature says that nothing was changed, not who made it.
    """
    trusted = {_fingerprint(one) for one in trust}
    verdicts = verify(read(read_source(file)), trusted=trusted)
    if form == "json":
        click.echo(json.dumps([msgspec.to_builtins(one) for one in verdicts], ensure_ascii=False, indent=2))
    else:
        _print(file, verdicts, bool(trusted))
    valid = bool(verdicts) and all(one.state == "valid" for one in verdicts)
    if not valid or (trusted and not any(one.trusted for one in verdicts)):
        raise click.exceptions.Exit(1)


def _print(file: Path, verdicts: list[Verdict], asked: bool) -> None:
    if not verdicts:
        click.echo(visible(f"{file}: no signature"))
    for one in verdicts:
        reason = f": {one.reason}" if one.reason else ""
        trust = (", trusted" if one.trusted else ", not trusted") if asked else ""
        click.echo(visible(f"{file}: {one.state}{trust}: {one.signee} ({one.algorithm}, key {one.fingerprint or '-'}){reason}"))


def _fingerprint(text: str) -> str:
    bare = text.replace(":", "")
    if _FINGERPRINT.fullmatch(bare):
        return bare.lower()
    path = Path(text)
    if not path.is_file():
        raise LiandunError(f"{text}: there is no such file, and it is no fingerprint", "64 hexadecimal digits, or a PEM file")
    return fingerprint_of(read_source(path))
