"""Files of documents are kept as evidence is: a sealed package (operations.evidence) under the platform's key for evidence.

So they are unreadable in the database and its backups, their SM3 is signed with who added them, and a rotation of the master key
takes them along.
"""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import msgspec
from sqlalchemy.orm import Session

from crypto.secret import MasterKey
from operations.audit.schema import Actor
from operations.errors import Conflict
from operations.evidence.custody import EvidenceError
from operations.evidence.package import Trust, open_evidence, read_head, seal_evidence, verify_evidence
from operations.incidents.evidence_key import keys, trust


class Sealed(msgspec.Struct, frozen=True):
    """A package, and what is in it. ``head``: SM3 of the end of its custody record."""

    package: bytes
    sm3: str
    size: int
    head: str


class Kept(Protocol):
    """A row that holds a package."""

    @property
    def package(self) -> bytes: ...

    @property
    def sm3(self) -> str: ...

    @property
    def size(self) -> int: ...

    @property
    def head(self) -> str: ...


def seal(session: Session, master: MasterKey, actor: Actor, content: bytes, reason: str) -> Sealed:
    """Needs a write transaction: the key is made with the first file."""
    with tempfile.TemporaryDirectory() as folder:  # mode 0700
        plain, target = Path(folder) / "file", Path(folder) / "package"
        plain.write_bytes(content)
        own = keys(session, master)
        origin = actor.address or "platform"
        link = seal_evidence(plain, target, [own.signer.key.public], own.signer, actor.name, reason, origin, datetime.now(UTC))
        return Sealed(target.read_bytes(), link.sm3, link.size, read_head(target))


def unseal(session: Session, master: MasterKey, row: Kept) -> bytes:
    """The file as it was given. Needs a write transaction. Raises Conflict where it is not what was sealed."""
    own, problem = keys(session, master), ""
    with tempfile.TemporaryDirectory() as folder:
        package, target = Path(folder) / "package", Path(folder) / "file"
        package.write_bytes(row.package)
        for key in own.all:
            try:
                link = open_evidence(package, target, _known(own.trust, row.head), key)
            except EvidenceError as error:
                problem = error.message
                continue
            if link.sm3 != row.sm3:
                problem = "the package is of another file"
                break
            return target.read_bytes()
    raise Conflict(f"the file does not open: {problem}", "take it from a backup")


def problem_of(session: Session, row: Kept) -> str:
    """What is wrong with the sealed file, "" where all is in order. No key is needed."""
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / "package"
        package.write_bytes(row.package)
        try:
            links, _ = verify_evidence(package, _known(trust(session), row.head))
        except EvidenceError as error:
            return error.message
    return "" if (links[0].sm3, links[0].size) == (row.sm3, row.size) else "the package is of another file"


def _known(found: Trust, head: str) -> Trust:
    return Trust(found.trusted, found.others, found.lists, head)
