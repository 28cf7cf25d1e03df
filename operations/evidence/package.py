"""One file for one piece of evidence: its custody record in the open, its payload sealed (``crypto.stream``: SM4-GCM in chunks).

    "LDEVID1\\n" | number of links (4 bytes) | each link: size (4 bytes), SignedData | the sealed payload to the end

The payload is of any size; it is sealed to SM2 keys, with the evidence's identifier as context, so that the payload of one cannot
be put into another. Custody and sealed payload can be checked by those who may not see the payload.
"""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from crypto.certificates import Certificate
from crypto.certificates.revocation import RevocationList
from crypto.envelope import Signer
from crypto.errors import CryptoError
from crypto.sm2 import PrivateKey, PublicKey
from crypto.sm3 import sm3_hasher
from crypto.stream import appearing, open_stream, seal_stream
from crypto.wraps import ForPublicKey, WithPrivateKey
from operations.evidence.custody import EvidenceError, Link, check_custody, first_link, head_of, next_link, sign_link

MAGIC = b"LDEVID1\n"
MOST_LINKS, LARGEST_LINK = 10_000, 1 << 16
_PIECE = 1 << 20


@dataclass(frozen=True)
class Trust:
    """What the signers of links are checked against; ``head`` where the end of the custody record is known from elsewhere."""

    trusted: Sequence[Certificate]
    others: Sequence[Certificate] = ()
    lists: Sequence[RevocationList] = ()
    head: str | None = None


def seal_evidence(
    source: Path,
    target: Path,
    recipients: Sequence[PublicKey],
    signer: Signer,
    actor: str,
    reason: str,
    origin: str,
    at: datetime,
    action: str = "seal",
) -> Link:
    """Seal ``source`` into the new package ``target``; its first link tells who, why, and ``origin``: where it was taken from.

    action  ``seal``, or ``collect`` where the payload is an archive that was made for this
    """
    evidence = secrets.token_hex(16)
    with source.open("rb") as plain, tempfile.TemporaryFile(dir=target.parent) as sealed:
        digest, size = _digest(plain)
        plain.seek(0)
        seal_stream(plain, sealed, [ForPublicKey(key) for key in recipients], _context(evidence))
        sealed.seek(0)
        sealed_digest, _ = _digest(sealed)
        link = first_link(evidence, action, actor, reason, origin, at, digest, size, sealed_digest)
        sealed.seek(0)
        _write(target, [sign_link(link, signer)], sealed)
    return link


def add_link(
    package: Path,
    trust: Trust,
    signer: Signer,
    action: str,
    actor: str,
    reason: str,
    source: str,
    at: datetime,
    target: Path | None = None,
) -> Link:
    """Append a link (handed over, copied, opened …) to a package that is in order; with ``target`` it is written there."""
    with package.open("rb") as file:
        signed = _read_links(file)
        links = _checked(signed, trust)
        link = next_link(links, head_of(signed[-1]), action, actor, reason, source, at)
        if link.at < links[-1].at:
            raise EvidenceError("the clock is behind the last link of the custody record", "set the clock", link.number)
        _write(target or package, [*signed, sign_link(link, signer)], file)
    return link


def verify_evidence(package: Path, trust: Trust) -> tuple[list[Link], str]:
    """Custody and sealed payload, without any key: the links and the head. Raises EvidenceError."""
    with package.open("rb") as file:
        signed = _read_links(file)
        links = _checked(signed, trust)
        digest, _ = _digest(file)
    if digest != links[0].sealed_sm3:
        raise EvidenceError("the sealed payload is not the one of the custody record")
    return links, head_of(signed[-1])


def open_evidence(package: Path, target: Path, trust: Trust, key: PrivateKey) -> Link:
    """Verify, then write the payload to ``target``, which appears only where all of it is what was sealed."""
    links, _ = verify_evidence(package, trust)
    hasher, size = sm3_hasher(), 0
    with package.open("rb") as file, appearing(target) as plain:
        _read_links(file)
        try:
            for piece in open_stream(file, WithPrivateKey(key), _context(links[0].evidence)):
                hasher.update(piece)
                size += len(piece)
                plain.write(piece)
        except CryptoError as error:
            raise EvidenceError(f"the payload does not open: {error}") from error
        if (hasher.digest().hex(), size) != (links[0].sm3, links[0].size):
            raise EvidenceError("the payload is not the one of the custody record")
    return links[0]


def read_head(package: Path) -> str:
    """The head of the custody record as it stands there, unchecked."""
    with package.open("rb") as file:
        return head_of(_read_links(file)[-1])


def _checked(signed: Sequence[bytes], trust: Trust) -> list[Link]:
    return check_custody(signed, trust.trusted, trust.others, trust.lists, trust.head)


def _write(target: Path, signed: Sequence[bytes], sealed: BinaryIO) -> None:
    if len(signed) > MOST_LINKS:
        raise EvidenceError(f"a custody record has at most {MOST_LINKS} links")
    with appearing(target) as file:
        file.write(MAGIC + len(signed).to_bytes(4))
        for one in signed:
            file.write(len(one).to_bytes(4) + one)
        shutil.copyfileobj(sealed, file, _PIECE)


def _read_links(file: BinaryIO) -> list[bytes]:
    head = file.read(len(MAGIC) + 4)
    if not head.startswith(MAGIC) or len(head) != len(MAGIC) + 4:
        raise EvidenceError("this is no evidence package")
    count = int.from_bytes(head[len(MAGIC) :])
    if not 1 <= count <= MOST_LINKS:
        raise EvidenceError("the evidence package is damaged: number of links")
    signed = []
    for number in range(1, count + 1):
        size = int.from_bytes(file.read(4))
        one = file.read(size) if 0 < size <= LARGEST_LINK else b""
        if not one or len(one) != size:
            raise EvidenceError(f"the evidence package is damaged at link {number}", "", number)
        signed.append(one)
    return signed


def _digest(file: BinaryIO) -> tuple[str, int]:
    hasher, size = sm3_hasher(), 0
    while piece := file.read(_PIECE):
        hasher.update(piece)
        size += len(piece)
    return hasher.digest().hex(), size


def _context(evidence: str) -> str:
    return f"evidence:{evidence}"
