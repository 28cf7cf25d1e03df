"""Acts on evidence, each in the audit trail: collect, seal, hand over (and other links of custody), open, verify.

What an act makes is first written beside its place, then the act is recorded, then it is put in place: what cannot be recorded does
not happen, and the state database is not held while a large payload is sealed. What was killed between record and place is put in
place by the next act. Failed acts are recorded as failures. The trail has the head of the custody record after each act, so links
that are cut off later are noticed here without anybody noting heads.
"""

from __future__ import annotations

import contextlib
import glob
import os
import secrets
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from crypto.envelope import Signer
from crypto.errors import CryptoError
from crypto.private_file import sync_folder
from crypto.sm2 import PrivateKey, PublicKey
from kernel.db import Database
from operations.audit import service as audit
from operations.audit.models import AuditEntry
from operations.audit.schema import Actor
from operations.evidence.custody import EvidenceError, Link
from operations.evidence.package import Trust, add_link, open_evidence, read_head, seal_evidence, verify_evidence

HAND_OVER = "hand over"
_HEADED = ("evidence.collect", "evidence.seal", "evidence.hand_over", "evidence.custody")
_Made = TypeVar("_Made")


@dataclass(frozen=True)
class Custodian:
    """Who signs and acts: ``name`` as the custody record tells it, ``place`` where he is or where the evidence came from."""

    signer: Signer
    name: str
    reason: str
    place: str


class EvidenceDesk:
    """``database`` of the platform whose trail records the acts; None outside of any platform (a court, another office)."""

    def __init__(self, database: Database | None, actor: Actor) -> None:
        self._database = database
        self._actor = actor

    def collect(self, sources: Sequence[Path], package: Path, recipients: Sequence[PublicKey], by: Custodian, at: datetime) -> Link:
        """Files and folders as one archive (tar), sealed into the new ``package``. ``by.place``: where they were taken from."""
        names = [source.name for source in sources]
        if len(set(names)) < len(names) or not all(names):
            raise EvidenceError("two of the sources have the same name", "collect them one by one")
        with tempfile.TemporaryDirectory(dir=package.parent) as folder:  # mode 0700
            archive = Path(folder) / "collected.tar"
            with tarfile.open(archive, "w", format=tarfile.PAX_FORMAT) as tar:
                for source in sources:
                    tar.add(source, source.name)
            return self._seal("collect", archive, package, recipients, by, at, {"files": names[:100]})

    def seal(self, source: Path, package: Path, recipients: Sequence[PublicKey], by: Custodian, at: datetime) -> Link:
        """One file, sealed into the new ``package``."""
        return self._seal("seal", source, package, recipients, by, at, {})

    def add(self, package: Path, trust: Trust, action: str, by: Custodian, at: datetime) -> Link:
        """The next link of custody: ``hand over``, copy, examine, return …"""
        act = "evidence.hand_over" if action == HAND_OVER else "evidence.custody"
        self._finish(package, trust)

        def make(made: Path) -> tuple[Link, dict[str, Any]]:
            link = add_link(package, self._known(package, trust), by.signer, action, by.name, by.reason, by.place, at, made)
            return link, {**_told(link), "head": read_head(made)}

        return self._act(act, package, package, make)

    def verify(self, package: Path, trust: Trust) -> tuple[list[Link], str]:
        """Custody and payload; also that no link is missing which the trail knows of."""
        self._finish(package, trust)

        def make(_made: Path) -> tuple[tuple[list[Link], str], dict[str, Any]]:
            links, head = verify_evidence(package, trust)
            self._check_known(links, head)
            return (links, head), {**_told(links[-1]), "head": head, "links": len(links)}

        return self._act("evidence.verify", package, None, make)

    def open(self, package: Path, target: Path, trust: Trust, key: PrivateKey) -> Link:
        """Verify, then write the payload to the new file ``target``."""
        self._finish(package, trust)

        def make(made: Path) -> tuple[Link, dict[str, Any]]:
            link = open_evidence(package, made, self._known(package, trust), key)
            return link, {**_told(link), "target": target.name}

        return self._act("evidence.open", package, target, make)

    def _seal(
        self,
        action: str,
        source: Path,
        package: Path,
        recipients: Sequence[PublicKey],
        by: Custodian,
        at: datetime,
        more: dict[str, Any],
    ) -> Link:
        def make(made: Path) -> tuple[Link, dict[str, Any]]:
            link = seal_evidence(source, made, recipients, by.signer, by.name, by.reason, by.place, at, action)
            return link, {**_told(link), "head": read_head(made), "recipients": len(recipients), **more}

        return self._act(f"evidence.{action}", package, package, make)

    def _act(self, act: str, package: Path, target: Path | None, make: Callable[[Path], tuple[_Made, dict[str, Any]]]) -> _Made:
        """Make, record, put in place."""
        with _beside(target or package) as made:
            try:
                result, detail = make(made)
            except (EvidenceError, CryptoError, OSError) as error:
                self._record(act, "", {"package": package.name, "reason": str(error)[:500]}, "failure")
                raise
            identifier = str(detail.pop("evidence"))
            self._record(act, identifier, {"package": package.name, **detail}, "success")
            if target is not None:
                try:
                    os.replace(made, target)
                    sync_folder(target.parent)
                except OSError as error:
                    self._record(act, identifier, {"package": package.name, "reason": str(error)}, "failure")
                    raise
        return result

    def _record(self, act: str, identifier: str, detail: dict[str, Any], result: str) -> None:
        if self._database is not None:
            with self._database.write() as session:
                audit.append(session, self._actor, act, "evidence", identifier, result=result, detail=detail)

    def _known(self, package: Path, trust: Trust) -> Trust:
        """Checks what the trail knows before an act builds on the package."""
        if self._database is not None:
            self._check_known(*verify_evidence(package, trust))
        return trust

    def _finish(self, package: Path, trust: Trust) -> None:
        """Put in place what a killed act had made and recorded already, and only that: else the package would seem cut off."""
        if self._database is None:
            return
        for made in sorted(package.parent.glob(f".{glob.escape(package.name)}.*")):
            with contextlib.suppress(EvidenceError, CryptoError, OSError):
                links, head = verify_evidence(made, trust)
                before, _ = verify_evidence(package, trust)
                with self._database.read() as session:
                    known = known_head(session, links[0].evidence)
                if known == head and links[: len(before)] == before and len(links) > len(before):
                    os.replace(made, package)
                    sync_folder(package.parent)

    def _check_known(self, links: Sequence[Link], head: str) -> None:
        if self._database is None:
            return
        with self._database.read() as session:
            known = known_head(session, links[0].evidence)
        if known and known not in [link.previous for link in links[1:]] + [head]:
            raise EvidenceError(
                "links that the audit trail knows of are missing or were exchanged", "find the newest copy", len(links)
            )


def known_head(session: Session, evidence: str) -> str:
    """Head of the custody record after the last act that the trail has of this evidence; "" where it has none."""
    query = (
        select(AuditEntry.id)
        .where(AuditEntry.object_type == "evidence", AuditEntry.object_id == evidence)
        .where(AuditEntry.action.in_(_HEADED), AuditEntry.result == "success")
        .order_by(AuditEntry.id.desc())
        .limit(1)
    )
    last = session.execute(query).scalar()
    return str(audit.find(session, last).detail.get("head", "")) if last is not None else ""


def _told(link: Link) -> dict[str, Any]:
    return {
        "evidence": link.evidence,
        "action": link.action,
        "custodian": link.actor,
        "reason": link.reason,
        "source": link.source,
        "sm3": link.sm3,
        "size": link.size,
        "link": link.number,
    }


@contextlib.contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """A name in the same folder that nobody expects; what is left there at the end is removed."""
    made = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
    try:
        yield made
    finally:
        made.unlink(missing_ok=True)
