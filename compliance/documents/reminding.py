"""Reminders of reviews: a notification to the organisation 30 days before the day and when it has passed, each once.

The ticket and its record are written in one transaction, and the record's key is document, day and kind: a scheduler that is killed
in between has sent nothing, and two of them send one.
"""

from __future__ import annotations

import logging
from datetime import date, timedelta

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from compliance.documents.models import DocumentReminder, DocumentRow
from compliance.documents.schema import Reminder
from kernel.db import Database
from kernel.errors import LiandunError
from operations import clock
from operations.accounts.schema import Principal
from operations.audit import service as audit
from operations.audit.schema import SYSTEM
from operations.organisations import candidates, owners
from operations.tickets import service as tickets
from operations.tickets.schema import Draft

log = logging.getLogger("liandun.documents")

DAYS_BEFORE = 30
BATCH = 200
_BY_ITSELF = Principal(0, SYSTEM.name, "", "")
_WORDS = {"soon": "制度文件即将到期评审 Document to be reviewed", "overdue": "制度文件评审逾期 Review of a document is overdue"}


def remind(database: Database, today: date | None = None) -> int:
    """Send what is due; returns how many went out. For the scheduler."""
    day = today or date.fromisoformat(clock.now()[:10])
    with database.read() as session:
        found = [(row.id, kind) for row, kind in _due(session, day)]
    sent = 0
    for number, kind in found:
        try:
            with database.write() as session:
                sent += _remind(session, number, kind)
        except LiandunError:  # one that cannot be told must not keep the others waiting; it is tried again
            log.exception("the reminder of document %d could not be sent", number)
    return sent


def reminders(session: Session, document_id: int) -> list[Reminder]:
    """What was sent about a document that was found before, newest first."""
    query = select(DocumentReminder).where(DocumentReminder.document_id == document_id).order_by(DocumentReminder.sent_at.desc())
    return [Reminder(row.review_on, row.kind, row.sent_at) for row in session.execute(query.limit(BATCH)).scalars()]


def _due(session: Session, today: date) -> list[tuple[DocumentRow, str]]:
    now, soon = today.isoformat(), (today + timedelta(days=DAYS_BEFORE)).isoformat()

    def unsaid(kind: str) -> object:
        return ~exists().where(
            DocumentReminder.document_id == DocumentRow.id,
            DocumentReminder.review_on == DocumentRow.review_on,
            DocumentReminder.kind == kind,
        )

    query = select(DocumentRow).where(
        DocumentRow.in_force > 0,
        DocumentRow.review_on > "",
        or_(
            (DocumentRow.review_on < now) & unsaid("overdue"),
            (DocumentRow.review_on >= now) & (DocumentRow.review_on <= soon) & unsaid("soon"),
        ),
    )
    found = session.execute(query.order_by(DocumentRow.review_on, DocumentRow.id).limit(BATCH)).scalars()
    return [(row, "overdue" if row.review_on < now else "soon") for row in found]


def _remind(session: Session, number: int, kind: str) -> bool:
    """Send it, where nobody else was quicker."""
    row = session.execute(select(DocumentRow).where(DocumentRow.id == number).with_for_update()).scalar_one()
    if not row.in_force or session.get(DocumentReminder, (row.id, row.review_on, kind)) is not None:
        return False
    session.add(DocumentReminder(document_id=row.id, review_on=row.review_on, kind=kind, sent_at=clock.now()))
    session.flush()
    bureau = row.organisation if row.organisation in owners(session) else ""
    known = {user.name for user in candidates(session, "tickets.write", bureau)}
    lines = (
        row.title, f"文件 document #{row.id}, 版本 edition {row.in_force}", f"负责人 owner: {row.owner}",
        f"评审日期 review: {row.review_on}",
    )  # fmt: skip
    level = "medium" if kind == "overdue" else "low"
    draft = Draft(
        "notification",
        f"{_WORDS[kind]}: {row.title}"[:200],
        "\n".join(lines),
        level,
        bureau,
        row.owner if row.owner in known else "",
    )
    ticket = tickets.create(session, _BY_ITSELF, draft)
    detail = {"kind": kind, "review_on": row.review_on, "ticket": ticket.id}
    audit.append(session, SYSTEM, "document.remind", "document", row.id, detail=detail)
    return True
