"""What goes into a package as JSON: verdicts, their history, decisions, the score; and the sealed evidence that verdicts name."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from compliance.assessment.models import VerdictRow, VerdictStep
from compliance.assessment.places import CRYPTO
from compliance.documents import covering, sealing
from compliance.documents.editions import find_edition
from compliance.probing import keeping
from compliance.reports.material import Material
from crypto.secret import MasterKey
from operations.audit import service as audit
from operations.audit.schema import Actor
from operations.errors import Conflict, Invalid, NotFound
from operations.incidents import evidence
from operations.incidents.models import IncidentEvidence

MOST_STEPS = 1_000_000
MOST_READ = 64 << 20
_CHUNK = 500


def verdicts(material: Material) -> bytes:
    """Every pair, with what was said, by whom, why."""
    told = [
        {
            "item": one.item, "object": one.object_id, "object_name": one.object_name,
            "object_kind": one.object.kind if one.object else "", "verdict": one.verdict, "source": one.source, "by": one.by,
            "reason": one.reason, "evidence": one.evidence, "reproduce": one.reproduce, "at": one.at,
            "checked_at": one.checked_at, "probe_says": one.probed, "version": one.version,
        }
        for one in material.pairs
    ]  # fmt: skip
    system = {"id": material.system.id, "name": material.system.name, "level": str(material.system.level),
              "extensions": material.system.extensions, "as_of": material.changed_at}  # fmt: skip
    return _json({"system": system, "verdicts": told})


def crypto_verdicts(session: Session, material: Material) -> bytes:
    """Those of GB/T 39786, with D, A and K."""
    query = select(VerdictRow).where(VerdictRow.system_id == material.system.id, VerdictRow.standard == CRYPTO)
    rows = session.execute(query.order_by(VerdictRow.item, VerdictRow.object_id)).scalars()
    names = ("item", "object_id", "verdict", "source", "judged_by", "reason", "evidence", "detail", "at", "version")
    return _json([{name: getattr(row, name) for name in names} for row in rows])


def history(session: Session, material: Material) -> bytes:
    """Every line of the history, oldest first, one JSON object a line. Raises Invalid beyond MOST_STEPS."""
    query = select(VerdictStep).where(VerdictStep.system_id == material.system.id).order_by(VerdictStep.id).limit(MOST_STEPS + 1)
    names = ("id", "item", "object_id", "verdict", "previous", "source", "judged_by", "reason", "evidence", "at", "counted")
    lines = [
        msgspec.json.encode({name: getattr(row, name) for name in names})
        for row in session.execute(query).scalars().yield_per(5_000)
    ]
    if len(lines) > MOST_STEPS:
        raise Invalid(f"the history has more than {MOST_STEPS:,} lines")
    return b"".join(line + b"\n" for line in lines)


def decisions(material: Material) -> bytes:
    """What people decided, the hazards, and the score by the template."""
    found = material.standing
    taken = [
        {"item": one.item, "object": one.object_id, "reason": one.reason, "by": one.by, "at": one.at}
        for one in material.pairs
        if one.decided
    ]  # fmt: skip
    score = msgspec.to_builtins(material.scored) if material.scored else None
    return _json({"decisions": found.decisions, "hazards": found.hazards, "not_applicable": taken, "score": score})


def sealed(
    session: Session, master: MasterKey, actor: Actor, material: Material, reason: str
) -> tuple[dict[str, bytes], list[str]]:
    """Packages of sealed evidence that verdicts name by number or SM3, each with this copy in its custody record.

    Second: the names that are not kept here, not in order, or not to be seen by this session.
    """
    wanted = sorted({one.evidence for one in material.pairs if one.evidence})
    files: dict[str, bytes] = {}
    known: set[str] = set()
    for start in range(0, len(wanted), _CHUNK):
        part = wanted[start : start + _CHUNK]
        columns = (IncidentEvidence.id, IncidentEvidence.incident_id, IncidentEvidence.evidence, IncidentEvidence.sm3)
        about = or_(IncidentEvidence.evidence.in_(part), IncidentEvidence.sm3.in_(part))
        for number, incident, name, digest in session.execute(select(*columns).where(about)).all():
            try:
                _, package = evidence.copy(session, master, actor, incident, number, reason)
            except (NotFound, Conflict):
                continue
            files[f"evidence/{name}.lev"] = package
            known |= {name, digest}
    return files, [name for name in wanted if name not in known]


def probe_runs(session: Session, master: MasterKey, actor: Actor, material: Material) -> tuple[dict[str, bytes], set[str]]:
    """What probes read, as it was sealed, each opening audited, up to MOST_READ octets; and the SM3 that verdicts name it by."""
    files: dict[str, bytes] = {}
    known, room = set[str](), MOST_READ
    for name in sorted({one.evidence for one in material.pairs if one.source == "probe" and one.evidence}):
        try:
            octets = keeping.unseal(session, master, actor, name)
        except (NotFound, Conflict):
            continue
        room -= len(octets)
        if room < 0:
            break
        files[f"evidence/probes/{name}.json"] = octets
        known.add(name)
    return files, known


def documents(session: Session, master: MasterKey, actor: Actor, material: Material) -> tuple[dict[str, bytes], set[str]]:
    """Editions of management documents that verdicts name, as they were given, each opening audited; and their references."""
    files: dict[str, bytes] = {}
    known: set[str] = set()
    for reference in sorted({one.evidence for one in material.pairs if one.evidence.startswith("document:")}):
        try:
            cited = covering.cited(session, reference)
            if cited is None:
                continue
            row = find_edition(session, cited.document, cited.edition)
            octets = sealing.unseal(session, master, row)
        except (NotFound, Conflict, Invalid):
            continue
        detail = {"edition": row.number, "sm3": row.sm3}
        audit.append(session, actor, "document.open", "document", row.document_id, detail=detail)
        files[f"documents/{row.document_id}-{row.number}.{row.media}"] = octets
        known.add(reference)
    return files, known


def _json(told: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(told), indent=1) + b"\n"
