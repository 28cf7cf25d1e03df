"""Which management items of a system have a document in force, and how a verdict names a document as its evidence.

A document holds for systems of its own organisation. It gives no verdict: a person reads it, judges, and names it.
"""

from __future__ import annotations

import re

from sqlalchemy import select
from sqlalchemy.orm import Session

from compliance.documents import service
from compliance.documents.editions import find_edition
from compliance.documents.models import VALID, DocumentItem, DocumentRow
from compliance.documents.schema import Cited, Covered
from compliance.systems import rows
from compliance.systems.applicability import scope_of
from operations.errors import Conflict, Invalid

_REFERENCE = re.compile(r"document:([0-9]{1,18}):([0-9]{1,4}):([0-9a-f]{64})")


def coverage(session: Session, system_id: int) -> list[Covered]:
    """Management items that hold for the system, in the order of the standard. Raises NotFound, Invalid (no level 3)."""
    system = rows.system_record(rows.find_system(session, system_id))
    scope = scope_of(session, system)
    bound = (
        select(DocumentItem.item, DocumentRow)
        .join(DocumentRow, DocumentRow.id == DocumentItem.document_id)
        .where(DocumentRow.in_force > 0, DocumentRow.organisation == system.organisation)
        .order_by(DocumentRow.id)
    )
    pairs = [(item, row) for item, row in session.execute(bound)]
    known = {one.id: one for one in service.records(session, list({row.id: row for _, row in pairs}.values()))}
    return [
        Covered(
            item, applicable.placed.item.zh, applicable.placed.item.en, applicable.placed.security_class.id,
            [known[row.id] for about, row in pairs if about == item],
        )
        for item, applicable in scope.items.items()
        if applicable.placed.security_class.group == "management" and scope.taken_away(item) is None
    ]  # fmt: skip


def cite(session: Session, document_id: int) -> str:
    """The reference that a verdict carries as its evidence. Raises NotFound; Conflict where nothing is in force."""
    document = service.find(session, document_id)
    if not document.in_force:
        raise Conflict(f"no edition of the document {document_id} is in force", "have one approved and put in force")
    row = find_edition(session, document_id, document.in_force)
    return f"document:{document.id}:{row.number}:{row.sm3}"


def cited(session: Session, reference: str) -> Cited | None:
    """What a reference points at, None where it is no reference to a document. Raises NotFound; Invalid for another file."""
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        return None
    document = service.find(session, int(match[1]))
    row = find_edition(session, document.id, int(match[2]))
    if row.sm3 != match[3]:
        raise Invalid("the document has another file than the one that was named", field="evidence")
    return Cited(document.id, document.title, row.number, row.state, row.sm3, row.state in VALID)
