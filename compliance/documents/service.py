"""Documents: listed, made, described anew; each change audited and decided on a version. A bureau sees its own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select, tuple_
from sqlalchemy.orm import Session

from compliance.assessment.places import places
from compliance.documents.models import KINDS, DocumentItem, DocumentRow, EditionRow
from compliance.documents.schema import DocumentDetail, DocumentDraft, DocumentFilter, DocumentPage, DocumentRecord, Edition
from compliance.systems import rows
from kernel.db.among import among
from kernel.db.containing import containing
from operations import clock
from operations.accounts.schema import Principal
from operations.audit import service as audit
from operations.errors import Denied, Invalid, NotFound
from operations.organisations import organisations_seen, owners
from operations.written import choice, name, text

MAX_TITLE, MAX_OWNER, MAX_TEXT, MAX_PAGE, MAX_ITEMS = 200, 64, 8_000, 200, 200
_CURSOR = re.compile(r"([0-9TZ:.-]{27})~([0-9]{1,18})")


def list_documents(
    session: Session, where: DocumentFilter = DocumentFilter(), *, limit: int = 50, cursor: str = ""
) -> DocumentPage:
    """One page, last changed first. Raises Invalid."""
    limit = max(1, min(limit, MAX_PAGE))
    query = select(DocumentRow).where(*_conditions(session, where), *seen(session))
    if cursor:
        match = _CURSOR.fullmatch(cursor)
        if match is None:
            raise Invalid("the page cursor cannot be read", "start again from the first page", field="cursor")
        query = query.where(tuple_(DocumentRow.updated_at, DocumentRow.id) < tuple_(match[1], int(match[2])))
    query = query.order_by(DocumentRow.updated_at.desc(), DocumentRow.id.desc()).limit(limit + 1)
    found = list(session.execute(query).scalars())
    page = records(session, found[:limit])
    return DocumentPage(page, f"{page[-1].updated_at}~{page[-1].id}" if len(found) > limit else "")


def get_document(session: Session, number: int) -> DocumentDetail:
    """One with its editions. Raises NotFound."""
    row = find(session, number)
    query = select(EditionRow).where(EditionRow.document_id == number).order_by(EditionRow.number.desc())
    return DocumentDetail(record(session, row), [edition(one) for one in session.execute(query).scalars()])


def current_editions(session: Session, found: Sequence[DocumentRecord]) -> dict[int, Edition]:
    """Document → the edition that holds, else its last one, of documents of a page that were found before."""
    wanted = {one.id: one.in_force or one.edition for one in found}
    query = select(EditionRow).where(among(session, EditionRow.document_id, sorted(wanted)))
    return {row.document_id: edition(row) for row in session.execute(query).scalars() if row.number == wanted[row.document_id]}


def count_kinds(session: Session, where: DocumentFilter = DocumentFilter()) -> dict[str, int]:
    """Kind → number, under the other filters. Raises Invalid."""
    others = DocumentFilter(**{name: getattr(where, name) for name in DocumentFilter.__struct_fields__ if name != "kind"})
    query = select(DocumentRow.kind, func.count()).where(*_conditions(session, others), *seen(session)).group_by(DocumentRow.kind)
    return dict.fromkeys(KINDS, 0) | {row[0]: row[1] for row in session.execute(query)}


def count_overdue(session: Session) -> int:
    """How many are in force though the day of their review has passed."""
    late = _conditions(session, DocumentFilter(overdue=True))
    return session.execute(select(func.count()).select_from(DocumentRow).where(*late, *seen(session))).scalar_one()


def create_document(session: Session, who: Principal, draft: DocumentDraft) -> DocumentRecord:
    """A new one, without any edition yet. Raises Invalid, Denied."""
    now = clock.now()
    row = DocumentRow(
        **_checked(session, draft), review_on="", edition=0, in_force=0, created_by=who.name, created_at=now, updated_by=who.name,
        updated_at=now, version=1,
    )  # fmt: skip
    session.add(row)
    session.flush()
    items = _bind(session, row, draft.items)
    detail = {"kind": row.kind, "title": row.title, "organisation": row.organisation, "owner": row.owner, "items": items}
    audit.append(session, who.actor, "document.create", "document", row.id, detail=detail)
    return record(session, row)


def change_document(
    session: Session, who: Principal, number: int, draft: DocumentDraft, *, expected_version: int | None
) -> DocumentRecord:
    """What is said about it, anew. Raises NotFound, Invalid, Denied, Stale."""
    row = find(session, number, for_update=True)
    rows.check_version(row.version, expected_version)
    wanted = _checked(session, draft)
    changed: dict[str, Any] = {
        field: [getattr(row, field), value] for field, value in wanted.items() if getattr(row, field) != value
    }
    before = _items(session, [number]).get(number, [])
    for field, value in wanted.items():
        setattr(row, field, value)
    items = _bind(session, row, draft.items)
    if items != before:
        changed["items"] = [before, items]
    if changed:
        touch(row, who)
        session.flush()
        audit.append(session, who.actor, "document.change", "document", number, detail=changed)
    return record(session, row)


def seen(session: Session) -> list[ColumnElement[bool]]:
    """Only documents of organisations that this session stands for."""
    ours = organisations_seen(session)
    return [] if ours is None else [DocumentRow.organisation.in_(sorted(ours))]


def find(session: Session, number: int, *, for_update: bool = False) -> DocumentRow:
    """The row, within what the session may see. Raises NotFound."""
    query = select(DocumentRow).where(DocumentRow.id == number, *seen(session))
    row = session.execute(query.with_for_update() if for_update else query).scalar_one_or_none()
    if row is None:
        raise NotFound(f"there is no document {number}")
    return row


def touch(row: DocumentRow, who: Principal) -> None:
    """It was changed now."""
    row.updated_by, row.updated_at, row.version = who.name, clock.now(), row.version + 1


def record(session: Session, row: DocumentRow) -> DocumentRecord:
    """As shown."""
    return records(session, [row])[0]


def records(session: Session, found: Sequence[DocumentRow]) -> list[DocumentRecord]:
    """As shown, in that order."""
    ids, today = [row.id for row in found], clock.now()[:10]
    items = _items(session, ids)
    columns = select(EditionRow.document_id, EditionRow.number, EditionRow.state).where(among(session, EditionRow.document_id, ids))
    states = {(document, number): state for document, number, state in session.execute(columns)}
    names = ("created_by", "created_at", "updated_by", "updated_at", "version")
    return [
        DocumentRecord(
            row.id, row.kind, row.title, row.organisation, row.owner, row.description,
            states.get((row.id, row.in_force or row.edition), ""), row.edition, row.in_force, row.review_on,
            bool(row.in_force and "" < row.review_on < today), items.get(row.id, []), *(getattr(row, one) for one in names),
        )
        for row in found
    ]  # fmt: skip


def edition(row: EditionRow) -> Edition:
    """As shown."""
    return Edition(**{one: getattr(row, one) for one in Edition.__struct_fields__})


def day(value: str, field: str) -> str:
    """``2026-11-23``. Raises Invalid."""
    try:
        return date.fromisoformat(text(value, field, 10, needed=True)).isoformat()
    except ValueError as error:
        raise Invalid(f"{value[:20]!r} is no day", "write 2026-11-23", field=field) from error


def _checked(session: Session, draft: DocumentDraft) -> dict[str, Any]:
    """Column → value. Raises Invalid, Denied."""
    ours = organisations_seen(session)
    if ours is not None and draft.organisation not in ours:
        raise Denied("a document of another organisation is not yours to describe")
    if draft.organisation and draft.organisation not in owners(session):
        raise Invalid(
            f"no zone belongs to {draft.organisation[:64]!r}", "an owner of the zone plan, or empty", field="organisation"
        )
    return {
        "kind": choice(draft.kind, "kind", KINDS),
        "title": name(draft.title, "title", MAX_TITLE),
        "owner": name(draft.owner, "owner", MAX_OWNER),
        "organisation": draft.organisation,
        "description": text(draft.description, "description", MAX_TEXT),
    }


def _bind(session: Session, row: DocumentRow, wanted: tuple[str, ...]) -> list[str]:
    """The items of the document are these. Raises Invalid."""
    items = sorted(set(wanted))
    if len(items) > MAX_ITEMS:
        raise Invalid(f"a document is about at most {MAX_ITEMS} items", field="items")
    for item in items:
        if item not in places():
            raise Invalid(f"there is no item {item[:24]!r}", "clause ids as `compliance catalogue` lists them", field="items")
    session.execute(delete(DocumentItem).where(DocumentItem.document_id == row.id, DocumentItem.item.not_in(items)))
    there = set(_items(session, [row.id]).get(row.id, []))
    session.add_all(DocumentItem(document_id=row.id, item=item) for item in items if item not in there)
    session.flush()
    return items


def _items(session: Session, documents: Sequence[int]) -> dict[int, list[str]]:
    query = select(DocumentItem).where(among(session, DocumentItem.document_id, documents)).order_by(DocumentItem.item)
    found: dict[int, list[str]] = {}
    for one in session.execute(query).scalars():
        found.setdefault(one.document_id, []).append(one.item)
    return found


def _conditions(session: Session, where: DocumentFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if where.kind:
        found.append(DocumentRow.kind == choice(where.kind, "kind", KINDS))
    if where.organisation:
        found.append(DocumentRow.organisation == where.organisation)
    if where.in_force is not None:
        found.append(DocumentRow.in_force > 0 if where.in_force else DocumentRow.in_force == 0)
    if where.review_by:
        found += [DocumentRow.in_force > 0, DocumentRow.review_on > "", DocumentRow.review_on <= day(where.review_by, "review_by")]
    if where.overdue:
        found += [DocumentRow.in_force > 0, DocumentRow.review_on > "", DocumentRow.review_on < clock.now()[:10]]
    if where.item:
        bound = select(DocumentItem.document_id).where(DocumentItem.item == where.item[:24])
        found.append(DocumentRow.id.in_(bound))
    return found + [containing(session, DocumentRow.title, word) for word in where.text.split()[:8]]
