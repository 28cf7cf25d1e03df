"""What a verdict names as its evidence, wherever it lies; whether its seal holds; the raw evidence, opened on record.

A verdict names evidence by ``document:ID:EDITION:SM3``, by the SM3 of a file or of a probe run that is kept for the system, or by
the number or SM3 of sealed evidence of an incident. Who may not see the incident is told that it lies elsewhere; opening it needs
what opening it in the incident needs.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from compliance.assessment import reading
from compliance.documents import covering, editions, sealing
from compliance.documents.models import EditionRow
from compliance.evidence.models import EvidenceRow
from compliance.evidence.schema import CustodyLink, Viewed
from compliance.probing.models import RunRow
from compliance.systems import rows
from crypto.secret import MasterKey
from operations.accounts.schema import Principal
from operations.audit import service as audit
from operations.errors import Conflict, Denied, Invalid, NotFound
from operations.evidence.custody import EvidenceError, Link
from operations.evidence.package import Trust, verify_evidence
from operations.incidents import evidence as of_incidents
from operations.incidents.evidence_key import trust
from operations.incidents.models import IncidentEvidence

_Kept = EvidenceRow | RunRow
STORES: tuple[type[EvidenceRow] | type[RunRow], ...] = (EvidenceRow, RunRow)
"""Tables of packages of a system that a verdict names by the SM3 of what is in them: what people bring, what daily probes read."""


def of_verdict(session: Session, who: Principal, system_id: int, item: str, object_id: int) -> Viewed:
    """The evidence of the verdict that counts. Raises NotFound."""
    return view(session, who, system_id, reading.verdict_of(session, system_id, item, object_id).evidence)


def view(session: Session, who: Principal, system_id: int, reference: str) -> Viewed:
    """What ``reference`` points at, its seal checked. Raises NotFound for the system only."""
    rows.find_system(session, system_id)
    if not reference:
        return Viewed("", "")
    row = _kept(session, system_id, reference)
    if row is not None:
        told = (row.name, row.at, row.added_by) if isinstance(row, EvidenceRow) else (f"{row.way} {row.place}".strip(), row.at, "")
        return _viewed("kept", session, reference, row, *told)
    try:
        cited = covering.cited(session, reference)
    except (NotFound, Invalid):
        return Viewed("elsewhere", reference)
    if cited is not None:
        edition = editions.find_edition(session, cited.document, cited.edition)
        shown = _viewed("document", session, reference, edition, cited.title, edition.added_at, edition.added_by)
        return _with(shown, number=cited.document, edition=cited.edition)
    piece = _piece(session, reference) if who.may("incidents.read") else None
    if piece is None:
        return Viewed("elsewhere", reference)
    found = of_incidents.verify(session, piece.incident_id, piece.id)
    links = tuple(CustodyLink(**one) for one in found.links)
    return Viewed(
        "incident", reference, found.name, found.sm3, found.size, found.sealed_at, found.sealed_by, found.problem, links,
        piece.incident_id, piece=piece.id,
    )  # fmt: skip


def open_raw(
    session: Session, master: MasterKey, who: Principal, system_id: int, item: str, object_id: int
) -> tuple[Viewed, bytes]:
    """The raw evidence of the verdict that counts. Needs a write transaction: that it was opened is written down.

    Raises NotFound where it does not lie here; Denied; Conflict where the seal does not hold.
    """
    reference = reading.verdict_of(session, system_id, item, object_id).evidence
    return open_named(session, master, who, system_id, reference, f"{item}:{object_id}")


def open_named(
    session: Session, master: MasterKey, who: Principal, system_id: int, reference: str, what_for: str = ""
) -> tuple[Viewed, bytes]:
    """The same for evidence that an answer names."""
    found = view(session, who, system_id, reference)
    if not found.sealed:
        raise NotFound("the raw evidence does not lie here")
    if found.place == "incident":
        if not who.may("incidents.write"):
            raise Denied("opening evidence of an incident needs the permission incidents.write", "ask who works on it")
        reason = f"evidence of {system_id}:{what_for}"[:200]
        _, content = of_incidents.open_payload(session, master, who.actor, found.number, found.piece, reason)
    elif found.place == "document":
        _, content = editions.open_file(session, master, who, found.number, found.edition)
    else:
        row = _kept(session, system_id, found.reference)
        if row is None:
            raise Conflict("the evidence is not there any more")
        content = sealing.unseal(session, master, row)
    detail = {"for": what_for, "place": found.place, "sm3": found.sm3}
    audit.append(session, who.actor, "mlps_evidence.open", "mlps_system", system_id, detail=detail)
    return found, content


def _kept(session: Session, system_id: int, reference: str) -> _Kept | None:
    if len(reference) != 64:
        return None
    for table in STORES:
        query = select(table).where(table.system_id == system_id, table.sm3 == reference.lower()).order_by(table.id).limit(1)
        row = session.execute(query).scalar_one_or_none()
        if isinstance(row, EvidenceRow | RunRow):
            return row
    return None


def _piece(session: Session, reference: str) -> IncidentEvidence | None:
    """Evidence of an incident that this session may see whole."""
    named = or_(IncidentEvidence.evidence == reference, IncidentEvidence.sm3 == reference)
    for row in session.execute(select(IncidentEvidence).where(named).order_by(IncidentEvidence.id).limit(20)).scalars():
        try:
            of_incidents.verify(session, row.incident_id, row.id)
        except NotFound:
            continue
        return row
    return None


def _viewed(
    place: str, session: Session, reference: str, row: _Kept | EditionRow, name: str, at: str, by: str
) -> Viewed:  # fmt: skip
    links, problem = _checked(session, row)
    told = tuple(CustodyLink(one.number, one.action, one.actor, _moment(one.at), one.reason, one.source) for one in links)
    return Viewed(place, reference, name, row.sm3, row.size, at, by, problem, told)


def _checked(session: Session, row: _Kept | EditionRow) -> tuple[list[Link], str]:
    known = trust(session)
    with tempfile.TemporaryDirectory() as folder:  # mode 0700
        package = Path(folder) / "package"
        package.write_bytes(row.package)
        try:
            links, _ = verify_evidence(package, Trust(known.trusted, known.others, known.lists, row.head))
        except EvidenceError as error:
            return [], error.message
    same = (links[0].sm3, links[0].size) == (row.sm3, row.size)
    return list(links), "" if same else "the package is of another file"


def _with(found: Viewed, **more: int) -> Viewed:
    return Viewed(**{name: getattr(found, name) for name in Viewed.__struct_fields__} | more)


def _moment(text: str) -> str:
    """@timestamp text of a link's moment."""
    return text.replace("Z", ".000000Z")
