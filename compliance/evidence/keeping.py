"""Evidence that people bring: sealed before it is kept, named by its SM3."""

from __future__ import annotations

import re

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from compliance.documents import sealing
from compliance.evidence.models import EvidenceRow
from compliance.evidence.schema import EvidenceRecord
from compliance.systems import rows
from crypto.secret import MasterKey
from crypto.sm3 import sm3
from operations import clock
from operations.accounts.schema import Principal
from operations.audit import service as audit
from operations.errors import Conflict, Invalid
from operations.written import name as one_line
from operations.written import text

MOST_BYTES, MOST_FILES = 3 * 1024 * 1024, 10_000
MAX_NAME, MAX_NOTE, MAX_PAGE = 128, 4_000, 200
_CURSOR = re.compile(r"[0-9]{1,18}")


def keep(
    session: Session, master: MasterKey, who: Principal, system_id: int, name: str, content: bytes, note: str = ""
) -> EvidenceRecord:
    """Seal a file for a system; what is there already stays. Needs a write transaction. Raises NotFound, Invalid, Conflict."""
    rows.find_system(session, system_id, for_update=True)
    if not 0 < len(content) <= MOST_BYTES:
        raise Invalid(f"evidence has 1 to {MOST_BYTES} bytes", field="file")
    called = one_line(name, "name", MAX_NAME)
    if re.search(r"[/\\]", called) or called in (".", ".."):
        raise Invalid("the name has characters that no file name has", field="name")
    words, digest = text(note, "note", MAX_NOTE), sm3(content).hex()
    there = session.execute(
        select(EvidenceRow).where(EvidenceRow.system_id == system_id, EvidenceRow.sm3 == digest)
    ).scalar_one_or_none()
    if there is not None:
        return _record(there)
    count = session.execute(select(func.count()).where(EvidenceRow.system_id == system_id)).scalar_one()
    if count >= MOST_FILES:
        raise Conflict(f"a system has at most {MOST_FILES} files of evidence")
    sealed = sealing.seal(session, master, who.actor, content, f"evidence of the system {system_id}")
    row = EvidenceRow(
        system_id=system_id, name=called, note=words, sm3=sealed.sm3, size=sealed.size, head=sealed.head, added_by=who.name[:160],
        at=clock.now(), package=sealed.package,
    )  # fmt: skip
    session.add(row)
    session.flush()
    detail = {"evidence": row.id, "name": called, "bytes": row.size, "sm3": row.sm3}
    audit.append(session, who.actor, "mlps_evidence.keep", "mlps_system", system_id, detail=detail)
    return _record(row)


def list_evidence(session: Session, system_id: int, *, limit: int = 50, cursor: str = "") -> tuple[list[EvidenceRecord], str]:
    """One page, newest first, and the cursor of the next ("" at the end). Raises NotFound, Invalid."""
    rows.find_system(session, system_id)
    limit = max(1, min(limit, MAX_PAGE))
    query = select(EvidenceRow).where(EvidenceRow.system_id == system_id)
    if cursor:
        if _CURSOR.fullmatch(cursor) is None:
            raise Invalid("the page cursor cannot be read", "start again from the first page", field="cursor")
        query = query.where(EvidenceRow.id < int(cursor))
    found = list(session.execute(query.order_by(EvidenceRow.id.desc()).limit(limit + 1)).scalars())
    return [_record(row) for row in found[:limit]], str(found[limit - 1].id) if len(found) > limit else ""


def _record(row: EvidenceRow) -> EvidenceRecord:
    return EvidenceRecord(**{name: getattr(row, name) for name in EvidenceRecord.__struct_fields__})
