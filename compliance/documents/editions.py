"""Editions of a document and their way: draft → approved, by another person → in force → under review → in force or withdrawn.

An edition that comes into force replaces the one before, which is withdrawn then and not earlier. While an edition is under review
it holds. A newer draft replaces a draft or an approved edition that never came into force.
"""

from __future__ import annotations

import re

from sqlalchemy import select
from sqlalchemy.orm import Session

from compliance.documents import sealing, service
from compliance.documents.media import media_of
from compliance.documents.models import VALID, DocumentRow, EditionRow
from compliance.documents.schema import DocumentDetail, Edition, EditionDraft
from compliance.systems import rows
from crypto.secret import MasterKey
from operations import clock
from operations.accounts.schema import Principal
from operations.audit import service as audit
from operations.errors import Conflict, Denied, Invalid, NotFound
from operations.written import choice, name, text

MAX_LABEL, MAX_FILE_NAME, MAX_NOTE, MOST_EDITIONS = 64, 128, 4_000, 500
STEPS: dict[str, tuple[frozenset[str], str]] = {
    "approve": (frozenset({"draft"}), "approved"),
    "enforce": (frozenset({"approved"}), "in_force"),
    "review": (frozenset({"in_force"}), "under_review"),
    "confirm": (frozenset({"under_review"}), "in_force"),
    "withdraw": (frozenset({"draft", "approved", "in_force", "under_review"}), "withdrawn"),
}
"""Act → from which states, to which. ``enforce`` and ``confirm`` name the day of the next review, ``withdraw`` a reason."""
ACTS: tuple[str, ...] = tuple(STEPS)


def add_edition(
    session: Session, master: MasterKey, who: Principal, document_id: int, draft: EditionDraft, content: bytes, *,
    expected_version: int | None = None,
) -> Edition:  # fmt: skip
    """A draft with its file, sealed. Raises NotFound, Invalid, Stale."""
    document = service.find(session, document_id, for_update=True)
    rows.check_version(document.version, expected_version)
    if document.edition >= MOST_EDITIONS:
        raise Invalid(f"a document has at most {MOST_EDITIONS} editions")
    media, file_name = media_of(content), name(draft.file_name, "file_name", MAX_FILE_NAME)
    if re.search(r"[/\\]", file_name) or file_name in (".", ".."):
        raise Invalid("the name has characters that no file name has", field="file_name")
    label, change = name(draft.label, "label", MAX_LABEL), text(draft.change, "change", MAX_NOTE)
    sealed = sealing.seal(session, master, who.actor, content, f"document {document_id}, edition {document.edition + 1}")
    now = clock.now()
    for one in _of(session, document_id, ("draft", "approved")):
        one.state, one.withdrawn_at = "withdrawn", now
    document.edition += 1
    row = EditionRow(
        document_id=document_id, number=document.edition, label=label, state="draft", file_name=file_name, media=media,
        size=sealed.size, sm3=sealed.sm3, head=sealed.head, change=change, added_by=who.name, added_at=now, approved_by="",
        approved_at="", in_force_at="", withdrawn_at="", package=sealed.package,
    )  # fmt: skip
    session.add(row)
    service.touch(document, who)
    session.flush()
    detail = {"edition": row.number, "label": label, "file": file_name, "media": media, "bytes": row.size, "sm3": row.sm3}
    audit.append(session, who.actor, "document.edition", "document", document_id, detail=detail)
    return service.edition(row)


def act(
    session: Session, who: Principal, document_id: int, number: int, what: str, *, note: str = "", review_on: str = "",
    expected_version: int | None = None,
) -> DocumentDetail:  # fmt: skip
    """One of ACTS. Raises NotFound, Invalid, Denied (who added an edition does not approve it), Conflict, Stale."""
    states, to = STEPS[choice(what, "act", ACTS)]
    document = service.find(session, document_id, for_update=True)
    rows.check_version(document.version, expected_version)
    row = find_edition(session, document_id, number)
    if row.state not in states:
        raise Conflict(f"{what} is not possible: the edition {number} is {row.state}")
    if what == "approve" and row.added_by == who.name:
        raise Denied("who added an edition does not approve it", "ask another person")
    words, now, before = text(note, "note", MAX_NOTE, needed=what == "withdraw"), clock.now(), row.state
    if what in ("enforce", "confirm"):
        document.review_on = _next_review(review_on, now)
    row.state = to
    if what == "approve":
        row.approved_by, row.approved_at = who.name, now
    elif what == "enforce":
        _replace(session, document, row, now)
    elif what == "withdraw":
        row.withdrawn_at = now
        if document.in_force == number:
            document.in_force, document.review_on = 0, ""
    service.touch(document, who)
    session.flush()
    detail = {"edition": number, "state": [before, to], "note": words, "review_on": document.review_on, "sm3": row.sm3}
    audit.append(session, who.actor, f"document.{what}", "document", document_id, detail=detail)
    return service.get_document(session, document_id)


def open_file(session: Session, master: MasterKey, who: Principal, document_id: int, number: int) -> tuple[Edition, bytes]:
    """The file as it was given, which is audited: needs a write transaction. Raises NotFound, Conflict where it is damaged."""
    service.find(session, document_id)
    row = find_edition(session, document_id, number)
    content = sealing.unseal(session, master, row)
    audit.append(session, who.actor, "document.open", "document", document_id, detail={"edition": number, "sm3": row.sm3})
    return service.edition(row), content


def verify(session: Session, document_id: int, number: int) -> str:
    """What is wrong with the sealed file, "" where all is in order. Raises NotFound."""
    service.find(session, document_id)
    return sealing.problem_of(session, find_edition(session, document_id, number))


def find_edition(session: Session, document_id: int, number: int) -> EditionRow:
    """Of a document that was found before. Raises NotFound."""
    query = select(EditionRow).where(EditionRow.document_id == document_id, EditionRow.number == number)
    row = session.execute(query).scalar_one_or_none()
    if row is None:
        raise NotFound(f"the document {document_id} has no edition {number}")
    return row


def _replace(session: Session, document: DocumentRow, row: EditionRow, now: str) -> None:
    """``row`` holds, what held before does not."""
    for one in _of(session, document.id, VALID):
        if one.id != row.id:
            one.state, one.withdrawn_at = "withdrawn", now
    row.in_force_at, document.in_force = now, row.number


def _of(session: Session, document_id: int, states: tuple[str, ...]) -> list[EditionRow]:
    query = select(EditionRow).where(EditionRow.document_id == document_id, EditionRow.state.in_(states))
    return list(session.execute(query).scalars())


def _next_review(value: str, now: str) -> str:
    found = service.day(value, "review_on")
    if not now[:10] < found:
        raise Invalid("the next review is a day to come", field="review_on")
    return found
