"""Who has read which edition: each person says so by themselves, for the edition that holds."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from compliance.documents import service
from compliance.documents.editions import find_edition
from compliance.documents.models import ReaderRow
from compliance.documents.schema import Reader
from operations import clock
from operations.accounts.schema import Principal
from operations.audit import service as audit
from operations.errors import Conflict, Denied
from operations.organisations import candidates


def acknowledge(session: Session, who: Principal, document_id: int, number: int) -> Reader:
    """``who`` has read the edition ``number``; said again, the first time counts. Raises NotFound, Denied; Conflict where it is not
    the one that holds.
    """
    if not who.user_id or who.key_name:
        raise Denied("only a person can have read something", "log in with an account of your own")
    document = service.find(session, document_id, for_update=True)
    row = find_edition(session, document_id, number)
    if document.in_force != number:
        raise Conflict(f"the edition {number} is not in force", "read the one that is")
    there = session.get(ReaderRow, (row.id, who.user_id))
    if there is None:
        there = ReaderRow(edition_id=row.id, user_id=who.user_id, name=who.name[:64], at=clock.now())
        session.add(there)
        session.flush()
        audit.append(session, who.actor, "document.read", "document", document_id, detail={"edition": number, "sm3": row.sm3})
    return Reader(there.name, there.at)


def readers(session: Session, document_id: int, number: int) -> list[Reader]:
    """Who has read it, by time, then the active accounts of its organisation that have not. Raises NotFound."""
    document = service.find(session, document_id)
    row = find_edition(session, document_id, number)
    query = select(ReaderRow).where(ReaderRow.edition_id == row.id).order_by(ReaderRow.at, ReaderRow.user_id)
    done = list(session.execute(query).scalars())
    known = {one.user_id for one in done}
    left = [user.name for user in candidates(session, "compliance.read", document.organisation) if user.id not in known]
    return [Reader(one.name, one.at) for one in done] + [Reader(name) for name in left]
