"""Who has read which edition: each person says so by themselves, for the edition that holds."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from compliance.documents import service
from compliance.documents.editions import find_edition
from compliance.documents.models import EditionRow, ReaderRow
from compliance.documents.schema import DocumentRecord, Reader
from kernel.db.among import among
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


def counts(session: Session, found: Sequence[DocumentRecord]) -> dict[int, int]:
    """How many have read the edition in force, of documents of a page that were found before."""
    wanted = {one.id: one.in_force for one in found if one.in_force}
    query = (
        select(EditionRow.document_id, EditionRow.number, func.count())
        .join(ReaderRow, ReaderRow.edition_id == EditionRow.id)
        .where(among(session, EditionRow.document_id, sorted(wanted)))
        .group_by(EditionRow.document_id, EditionRow.number)
    )
    return {document: number for document, edition, number in session.execute(query) if wanted[document] == edition}


def read_by(session: Session, user_id: int, found: Sequence[DocumentRecord]) -> set[int]:
    """Of which of these documents this person has read the edition in force."""
    wanted = {one.id: one.in_force for one in found if one.in_force}
    query = (
        select(EditionRow.document_id, EditionRow.number)
        .join(ReaderRow, ReaderRow.edition_id == EditionRow.id)
        .where(among(session, EditionRow.document_id, sorted(wanted)), ReaderRow.user_id == user_id)
    )
    return {document for document, edition in session.execute(query) if wanted[document] == edition}
