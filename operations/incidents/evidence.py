"""Evidence of an incident: sealed packages (operations.evidence) with their chain of custody, kept in the state database.

Who does not see all zones of the incident neither seals, hands on nor opens. The head of the custody record stands in the row and
in the audit trail, so that links cut off are noticed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from crypto.secret import MasterKey
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.errors import Conflict, Invalid, NotFound
from operations.evidence.custody import EvidenceError, Link, head_of
from operations.evidence.package import MAGIC, Trust, add_link, open_evidence, seal_evidence, verify_evidence
from operations.incidents.evidence_key import Keys, keys, trust
from operations.incidents.models import IncidentEvidence
from operations.incidents.parts import part
from operations.incidents.places import covers
from operations.incidents.reading import get_incident, held
from operations.incidents.schema import EvidenceRecord
from operations.incidents.texts import TITLE, line
from operations.incidents.timeline import tell

MOST_BYTES = 32 * 1024 * 1024
MOST_PIECES = 100
ACTIONS: tuple[str, ...] = ("hand over", "examine", "return")
"""What people do with evidence outside of the platform; ``seal``, ``copy`` and ``open`` are written by the platform itself."""


def seal(
    session: Session, master: MasterKey, actor: Actor, incident_id: int, name: str, payload: bytes, *, reason: str, origin: str,
    events: int = 0, left_out: int = 0,
) -> EvidenceRecord:  # fmt: skip
    """Seal bytes. ``origin``: where they were taken from; ``events`` in it, ``left_out``: not found any more. Raises Invalid, …"""
    incident = held(session, incident_id)
    if not covers(session, orjson.loads(incident.zones)):
        raise Conflict("the incident concerns zones that you may not see", "ask somebody without a scope")
    if not 0 < len(payload) <= MOST_BYTES:
        raise Invalid(f"evidence has 1 to {MOST_BYTES} bytes", field="file")
    if len(_rows(session, incident_id)) >= MOST_PIECES:
        raise Conflict(f"an incident has at most {MOST_PIECES} pieces of evidence")
    name, why = line(name, "name", TITLE, needed=True), line(reason, "reason", TITLE, needed=True)
    source = line(origin, "origin", TITLE, needed=True)
    with tempfile.TemporaryDirectory() as folder:  # mode 0700
        plain, target = Path(folder) / "payload", Path(folder) / "package"
        plain.write_bytes(payload)
        own = keys(session, master)
        link = seal_evidence(plain, target, [own.signer.key.public], own.signer, actor.name, why, source, datetime.now(UTC))
        package = target.read_bytes()
    row = IncidentEvidence(
        incident_id=incident_id, evidence=link.evidence, name=name, sm3=link.sm3, size=link.size, events=events, left_out=left_out,
        head=_head(package), zones=incident.zones, sealed_at=_moment(link.at), sealed_by=actor.name[:160], version=1,
        package=package,
    )  # fmt: skip
    session.add(row)
    session.flush()
    tell(session, actor, incident_id, "evidence_sealed", {"name": name, "sm3": link.sm3})
    _note(session, actor, row, "seal", why)
    return _record(row)


def hand_on(
    session: Session, master: MasterKey, actor: Actor, incident_id: int, evidence_id: int, action: str, reason: str, *,
    expected_version: int | None = None,
) -> EvidenceRecord:  # fmt: skip
    """Add a link: handed over, examined, returned. Raises NotFound, Invalid, Conflict."""
    if action not in ACTIONS:
        raise Invalid(f"there is no act {action[:16]!r}", f"one of {', '.join(ACTIONS)}", field="action")
    row = _seen(session, incident_id, evidence_id, expected_version)
    _link(session, keys(session, master), actor, row, action, reason)
    return _record(row)


def copy(
    session: Session, master: MasterKey, actor: Actor, incident_id: int, evidence_id: int, reason: str
) -> tuple[EvidenceRecord, bytes]:
    """The sealed package with its custody record, in which this copy stands. Raises NotFound, Invalid, Conflict."""
    row = _seen(session, incident_id, evidence_id, None)
    _link(session, keys(session, master), actor, row, "copy", reason)
    return _record(row), row.package


def open_payload(
    session: Session, master: MasterKey, actor: Actor, incident_id: int, evidence_id: int, reason: str
) -> tuple[EvidenceRecord, bytes]:
    """What was sealed; that it was opened stands in the custody record first. Raises NotFound, Invalid, Conflict."""
    row = _seen(session, incident_id, evidence_id, None)
    own = keys(session, master)
    _link(session, own, actor, row, "open", reason)
    with tempfile.TemporaryDirectory() as folder:
        package, target = Path(folder) / "package", Path(folder) / "payload"
        package.write_bytes(row.package)
        for key in own.all:
            try:
                open_evidence(package, target, _known(own.trust, row.head), key)
                return _record(row), target.read_bytes()
            except EvidenceError as error:
                problem = error
    raise Conflict(f"the evidence does not open: {problem.message}", "take the package from a backup")


def list_evidence(session: Session, incident_id: int) -> tuple[list[EvidenceRecord], int]:
    """Oldest first, and how many pieces tell of zones that this session may not see. Raises NotFound."""
    get_incident(session, incident_id)
    rows = _rows(session, incident_id)
    shown = [_record(row) for row in rows if covers(session, orjson.loads(row.zones))]
    return shown, len(rows) - len(shown)


def verify(session: Session, incident_id: int, evidence_id: int) -> EvidenceRecord:
    """One piece with its custody record; ``problem`` says what is wrong with it, "" where all is in order. Raises NotFound."""
    get_incident(session, incident_id)
    row = session.get(IncidentEvidence, evidence_id)
    if row is None or row.incident_id != incident_id or not covers(session, orjson.loads(row.zones)):
        raise NotFound(f"incident {incident_id} has no evidence {evidence_id}")
    links: Sequence[Link] = ()
    problem = ""
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / "package"
        package.write_bytes(row.package)
        try:
            links, _head_found = verify_evidence(package, _known(trust(session), row.head))
            if (links[0].evidence, links[0].sm3, links[0].size) != (row.evidence, row.sm3, row.size):
                problem = "the package is of other evidence"
        except EvidenceError as error:
            problem = error.message
    told = [{"number": one.number, "action": one.action, "actor": one.actor, "at": _moment(one.at), "reason": one.reason,
             "source": one.source} for one in links]  # fmt: skip
    return msgspec.structs.replace(_record(row), links=told, problem=problem)


def _link(session: Session, own: Keys, actor: Actor, row: IncidentEvidence, action: str, reason: str) -> None:
    why = line(reason, "reason", TITLE, needed=True)
    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / "package"
        package.write_bytes(row.package)
        try:
            place = actor.address or "platform"
            add_link(package, _known(own.trust, row.head), own.signer, action, actor.name, why, place, datetime.now(UTC))
        except EvidenceError as error:
            raise Conflict(f"the evidence is not in order: {error.message}", "verify it; take the package from a backup") from error
        row.package = package.read_bytes()
    row.head, row.version = _head(row.package), row.version + 1
    session.flush()
    tell(session, actor, row.incident_id, "evidence_link", {"name": row.name, "action": action, "reason": why})
    _note(session, actor, row, action, why)


def _note(session: Session, actor: Actor, row: IncidentEvidence, action: str, reason: str) -> None:
    detail = {"evidence": row.evidence, "act": action, "reason": reason, "sm3": row.sm3, "head": row.head}
    audit.append(session, actor, "incident.evidence", "incident", row.incident_id, detail=detail)


def _seen(session: Session, incident_id: int, evidence_id: int, expected_version: int | None) -> IncidentEvidence:
    held(session, incident_id, open_=False)
    row = part(session, IncidentEvidence, "evidence", incident_id, evidence_id, expected_version)
    if not covers(session, orjson.loads(row.zones)):
        raise NotFound(f"incident {incident_id} has no evidence {evidence_id}")
    return row


def _rows(session: Session, incident_id: int) -> list[IncidentEvidence]:
    query = select(IncidentEvidence).where(IncidentEvidence.incident_id == incident_id).order_by(IncidentEvidence.id)
    return list(session.execute(query).scalars())


def _known(found: Trust, head: str) -> Trust:
    return Trust(found.trusted, found.others, found.lists, head)


def _head(package: bytes) -> str:
    """SM3 of the last link of a package."""
    at = len(MAGIC) + 4
    last = b""
    for _number in range(int.from_bytes(package[len(MAGIC) : at])):
        size = int.from_bytes(package[at : at + 4])
        last, at = package[at + 4 : at + 4 + size], at + 4 + size
    return head_of(last)


def _moment(text: str) -> str:
    """@timestamp text of a link's moment."""
    return text.replace("Z", ".000000Z")


def _record(row: IncidentEvidence) -> EvidenceRecord:
    names = ("id", "evidence", "name", "sm3", "size", "events", "left_out", "head", "sealed_at", "sealed_by", "version")
    return EvidenceRecord(*(getattr(row, name) for name in names))
