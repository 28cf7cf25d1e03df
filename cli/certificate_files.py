"""Certificates, keys and revocation lists of the command line, and what is told of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import click

from cli.crypto_files import read_private_key, read_source
from cli.terminal import visible
from crypto.certificates import Certificate, RevocationList, read_certificates
from crypto.envelope import Signer
from crypto.errors import CryptoError
from kernel.errors import LiandunError

path_type = click.Path(dir_okay=False, path_type=Path)


def load_certificates(paths: Iterable[Path]) -> list[Certificate]:
    """All certificates of all files (PEM or DER)."""
    found = []
    for path in paths:
        try:
            found += read_certificates(read_source(path))
        except CryptoError as error:
            raise LiandunError(f"{path}: {error}") from error
    return found


def load_lists(paths: Iterable[Path]) -> list[RevocationList]:
    found = []
    for path in paths:
        try:
            found.append(RevocationList(read_source(path)))
        except CryptoError as error:
            raise LiandunError(f"{path}: {error}") from error
    return found


def load_signer(certificate: Path, key: Path, file: Path | None, variable: str | None) -> Signer:
    return Signer(load_certificates([certificate])[0], read_private_key(key, file, variable))


def read_moment(text: str | None) -> datetime:
    """UTC; now where nothing is given."""
    if text is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise LiandunError(f"{text!r} is no time", "write it like 2026-06-01T08:30:00Z") from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def describe(certificate: Certificate) -> str:
    """Some lines for people."""
    lines = {
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "serial": f"{certificate.serial:x}",
        "valid": f"{certificate.not_before:%Y-%m-%dT%H:%M:%SZ} to {certificate.not_after:%Y-%m-%dT%H:%M:%SZ}",
        "key": "SM2" if certificate.is_sm2 else "not SM2",
        "authority": "yes" if certificate.is_authority else "no",
        "usage": ", ".join(sorted(certificate.usage or ())) or "not limited",
        "extended usage": ", ".join(certificate.extended_usage or ()) or "not limited",
        "names": ", ".join(certificate.alternatives) or "none",
        "SM3": certificate.fingerprint,
    }
    return "\n".join(f"{key:15}{visible(value)}" for key, value in lines.items())
