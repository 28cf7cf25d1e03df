"""A package checked without the platform: signature, certificate, and each file against the manifest, none more and none less."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from datetime import UTC
from pathlib import Path

import msgspec

from compliance.reports.package import manifest
from compliance.reports.package.manifest import Manifest, PackageError
from crypto.certificates import Certificate, RevocationList, check_chain, read_certificates
from crypto.errors import CryptoError
from crypto.sm2 import PublicKey
from crypto.sm3 import sm3
from operations import clock

MOST_EXPANDED = 512 << 20
MOST_FILES = 2_000
_MOST_SMALL = 1 << 20
_UNREADABLE = (zipfile.BadZipFile, zlib.error, NotImplementedError, OSError, EOFError, RuntimeError, ValueError)
"""What a damaged archive raises."""


class Verified(msgspec.Struct, frozen=True):
    """What was found to be in order. ``signer``: the subject of the certificate."""

    system: str
    issued_at: str
    signer: str
    files: tuple[str, ...]


def verify(
    path: Path, *, trusted: Sequence[Certificate] = (), others: Sequence[Certificate] = (),
    lists: Sequence[RevocationList] = (), key: PublicKey | None = None,
) -> Verified:  # fmt: skip
    """Against certificates that are trusted, or one public key. Raises PackageError; ``files`` names what is broken."""
    if not trusted and key is None:
        raise PackageError("nothing is there to check the signature with", "the certificate of the authority, or the public key")
    try:
        with zipfile.ZipFile(path) as archive:
            return _verified(archive, trusted, others, lists, key)
    except _UNREADABLE as error:
        raise PackageError(f"{path.name} cannot be read as a package: {str(error)[:200]}", files=(path.name,)) from error


def _verified(
    archive: zipfile.ZipFile, trusted: Sequence[Certificate], others: Sequence[Certificate], lists: Sequence[RevocationList],
    key: PublicKey | None,
) -> Verified:  # fmt: skip
    parts = archive.infolist()
    if len(parts) > MOST_FILES or sum(part.file_size for part in parts) > MOST_EXPANDED:
        raise PackageError("the archive is larger than a package can be")
    names = [part.filename for part in parts]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise PackageError(f"{twice[0]}: it is there twice", files=tuple(twice))
    text = _small(archive, manifest.MANIFEST)
    signer = _check_signature(archive, text, trusted, others, lists, key)
    told = manifest.read(text.decode())
    if broken := _broken(archive, told, set(names)):
        raise PackageError(
            "not as it was signed: " + ", ".join(f"{name} ({why})" for name, why in broken.items()), files=tuple(broken)
        )
    return Verified(told.system, told.issued_at, signer, tuple(told.files))


def _check_signature(
    archive: zipfile.ZipFile, text: bytes, trusted: Sequence[Certificate], others: Sequence[Certificate],
    lists: Sequence[RevocationList], key: PublicKey | None,
) -> str:  # fmt: skip
    signature = _small(archive, manifest.SIGNATURE)
    if key is not None:
        if not key.verify(text, signature):
            raise PackageError(f"{manifest.MANIFEST}: the signature is not of this key", files=(manifest.MANIFEST,))
        return "the public key given"
    try:
        certificate = read_certificates(_small(archive, manifest.SIGNER))[0]
    except (CryptoError, IndexError) as error:
        raise PackageError(f"{manifest.SIGNER}: this is no certificate", files=(manifest.SIGNER,)) from error
    if not certificate.is_sm2 or not certificate.public_key.verify(text, signature):
        raise PackageError(f"{manifest.MANIFEST}: it is not what was signed", files=(manifest.MANIFEST,))
    issued_at = manifest.read(text.decode()).issued_at
    try:  # certificates begin at a whole second; what is issued within the first one is not before it
        when = clock.moment(issued_at).astimezone(UTC).replace(microsecond=999_999)
        check_chain(certificate, others, trusted, when, usage="digital_signature", lists=lists)
    except (CryptoError, ValueError) as error:
        raise PackageError(f"{manifest.SIGNER}: not trusted: {error}", files=(manifest.SIGNER,)) from error
    return certificate.subject


def _broken(archive: zipfile.ZipFile, told: Manifest, names: set[str]) -> dict[str, str]:
    """Name → what is wrong with it."""
    apart = {manifest.MANIFEST, manifest.SIGNATURE, manifest.SIGNER}
    broken = dict.fromkeys(sorted(names - told.files.keys() - apart), "not in the manifest")
    for name, (digest, size) in told.files.items():
        if name not in names:
            broken[name] = "missing"
            continue
        try:
            octets = archive.read(name)
        except _UNREADABLE:
            broken[name] = "unreadable"
            continue
        if len(octets) != size or sm3(octets).hex() != digest:
            broken[name] = "changed"
    return broken


def _small(archive: zipfile.ZipFile, name: str) -> bytes:
    try:
        part = archive.getinfo(name)
    except KeyError as error:
        raise PackageError(f"{name}: it is missing", files=(name,)) from error
    if part.file_size > _MOST_SMALL:
        raise PackageError(f"{name}: it is larger than it can be", files=(name,))
    return archive.read(part)
