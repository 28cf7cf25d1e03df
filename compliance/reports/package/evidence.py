"""Evidence that verdicts name, wherever it lies, for a package: only what whoever makes the package could open one by one.

Each piece that goes in is on record: a copy in the custody record of evidence of incidents, the audit trail for everything else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from compliance.documents import covering, sealing
from compliance.documents.editions import find_edition
from compliance.evidence.models import EvidenceRow
from compliance.probing import keeping
from compliance.probing.models import RunRow
from compliance.reports.material import Material
from crypto.secret import MasterKey
from operations.accounts.schema import Principal
from operations.audit import service as audit
from operations.errors import Conflict, Invalid, NotFound
from operations.incidents import evidence as of_incidents
from operations.incidents.models import IncidentEvidence

MOST_READ, MOST_FILES = 64 << 20, 1_000
"""Octets and number of files of what probes read and of what people brought, together; verifying ends at 2,000 files."""
ELSEWHERE = "not kept here, or not to be seen by whoever made the package"
NOT_PERMITTED = "evidence of an incident: whoever makes the package needs the permission incidents.write"
NO_ROOM = "the package has no room for it"
_CHUNK = 500
_ENDING = re.compile(r"\.[A-Za-z0-9]{1,8}")


class Gathered(msgspec.Struct, frozen=True):
    """``files`` of the package; ``known``: what verdicts call them; ``left``: what is not among them → why."""

    files: dict[str, bytes]
    known: set[str]
    left: dict[str, str]

    def add(self, file: str, octets: bytes, *names: str) -> None:
        """A file that goes in, and what verdicts call it."""
        self.files[file] = octets
        self.known.update(names)


def gather(session: Session, master: MasterKey, who: Principal, material: Material, reason: str) -> Gathered:
    """All that verdicts name. Needs a write transaction."""
    found = Gathered({}, set(), {})
    wanted = sorted({one.evidence for one in material.pairs if one.evidence})
    _kept(session, master, who, material.system.id, wanted, found)
    _documents(session, master, who, wanted, found)
    _of_incidents(
        session, master, who, [name for name in wanted if name not in found.known and name not in found.left], reason, found
    )
    left = {name: found.left.get(name, ELSEWHERE) for name in wanted if name not in found.known}
    return Gathered(found.files, found.known, left)


def _kept(
    session: Session, master: MasterKey, who: Principal, system_id: int, wanted: Sequence[str], found: Gathered
) -> None:  # fmt: skip
    """What people brought for the system and what probes read of it, opened as it was sealed."""
    room, files = MOST_READ, MOST_FILES
    names: dict[str, list[str]] = {}
    for name in wanted:
        if len(name) == 64:
            names.setdefault(name.lower(), []).append(name)
    brought = []
    for row in _rows(session, system_id, sorted(names)):
        called = names.pop(row.sm3, None)
        if called is None:  # brought, too, or read more than once
            continue
        if row.size > room or files <= 0:
            found.left.update(dict.fromkeys(called, NO_ROOM))
            continue
        try:
            octets = _opened(session, master, who, row)
        except Conflict as error:
            found.left.update(dict.fromkeys(called, error.message))
            continue
        room, files = room - row.size, files - 1
        found.add(_place(row), octets, *called)
        if isinstance(row, EvidenceRow):
            brought.append({"file": _place(row), "name": row.name, "note": row.note, "by": row.added_by, "at": row.at})
    if brought:
        found.files["evidence/kept.json"] = msgspec.json.format(msgspec.json.encode(brought), indent=1) + b"\n"


def _rows(session: Session, system_id: int, digests: Sequence[str]) -> Iterator[EvidenceRow | RunRow]:
    for table in (EvidenceRow, RunRow):
        for start in range(0, len(digests), _CHUNK):
            part = digests[start : start + _CHUNK]
            query = select(table).where(table.system_id == system_id, table.sm3.in_(part)).order_by(table.id)
            for row in session.execute(query).scalars():
                assert isinstance(row, EvidenceRow | RunRow)
                yield row


def _opened(session: Session, master: MasterKey, who: Principal, row: EvidenceRow | RunRow) -> bytes:
    if isinstance(row, RunRow):
        return keeping.unseal(session, master, who.actor, row.sm3, row.system_id)
    octets = sealing.unseal(session, master, row)
    detail = {"for": "evidence package", "place": "kept", "sm3": row.sm3}
    audit.append(session, who.actor, "mlps_evidence.open", "mlps_system", row.system_id, detail=detail)
    return octets


def _place(row: EvidenceRow | RunRow) -> str:
    if isinstance(row, RunRow):
        return f"evidence/probes/{row.sm3}.json"
    ending = _ENDING.fullmatch(row.name[row.name.rfind(".") :]) if "." in row.name else None
    return f"evidence/kept/{row.sm3}{ending[0] if ending else ''}"


def _documents(session: Session, master: MasterKey, who: Principal, wanted: Sequence[str], found: Gathered) -> None:
    """Editions of management documents, as they were given."""
    for reference in wanted:
        if not reference.startswith("document:"):
            continue
        try:
            cited = covering.cited(session, reference)
            if cited is None:
                continue
            row = find_edition(session, cited.document, cited.edition)
            octets = sealing.unseal(session, master, row)
        except (NotFound, Invalid):
            continue
        except Conflict as error:
            found.left[reference] = error.message
            continue
        detail = {"edition": row.number, "sm3": row.sm3}
        audit.append(session, who.actor, "document.open", "document", row.document_id, detail=detail)
        found.add(f"documents/{row.document_id}-{row.number}.{row.media}", octets, reference)


def _of_incidents(
    session: Session, master: MasterKey, who: Principal, wanted: Sequence[str], reason: str, found: Gathered
) -> None:  # fmt: skip
    """Sealed packages by number or SM3, for whoever may open them there; who sees the incident only is told why not."""
    if not who.may("incidents.read"):
        return
    for start in range(0, len(wanted), _CHUNK):
        part = wanted[start : start + _CHUNK]
        columns = (IncidentEvidence.id, IncidentEvidence.incident_id, IncidentEvidence.evidence, IncidentEvidence.sm3)
        about = or_(IncidentEvidence.evidence.in_(part), IncidentEvidence.sm3.in_(part))
        for number, incident, name, digest in session.execute(select(*columns).where(about)).all():
            try:
                if not who.may("incidents.write"):
                    of_incidents.verify(session, incident, number)
                    found.left.update(dict.fromkeys((name, digest), NOT_PERMITTED))
                    continue
                _, package = of_incidents.copy(session, master, who.actor, incident, number, reason)
            except NotFound:
                continue
            except Conflict as error:
                found.left.update(dict.fromkeys((name, digest), error.message))
                continue
            found.add(f"evidence/{name}.lev", package, name, digest)
