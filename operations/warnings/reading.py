"""One warning with its receipt matrix and history."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from operations import clock
from operations.warnings import history
from operations.warnings.deadlines import overdue, state
from operations.warnings.listing import mine, progress
from operations.warnings.models import WarningReceipt, WarningReminder
from operations.warnings.rows import find, record_of
from operations.warnings.schema import Progress, ReceiptRecord, WarningDetail, WarningRecord


def get(session: Session, warning_id: int) -> WarningRecord:
    """The record. Raises NotFound, also for what this session may not see."""
    return record_of(session, find(session, warning_id))


def detail(session: Session, warning_id: int) -> WarningDetail:
    """Everything about it that this session may see. Raises NotFound."""
    record = get(session, warning_id)
    return WarningDetail(
        record,
        progress(session, [warning_id]).get(warning_id, Progress()),
        receipts(session, record),
        history.read(session, warning_id),
    )


def receipts(session: Session, record: WarningRecord) -> list[ReceiptRecord]:
    """The matrix, the last edition first, organisations by name."""
    reminded: dict[tuple[int, str], list[str]] = {}
    said = select(WarningReminder).where(WarningReminder.warning_id == record.id).order_by(WarningReminder.step.desc())
    for reminder in session.execute(said).scalars():
        reminded.setdefault((reminder.edition, reminder.organisation), []).append(reminder.step)
    query = (
        select(WarningReceipt)
        .where(WarningReceipt.warning_id == record.id, *mine(session))
        .order_by(WarningReceipt.edition.desc(), WarningReceipt.organisation)
    )
    present = clock.now()
    made = []
    for row in session.execute(query).scalars():
        moments = (row.receipt_due, row.feedback_due, row.received_at, row.feedback_at)
        live = record.status == "published" and row.edition == record.edition
        made.append(
            ReceiptRecord(
                edition=row.edition,
                organisation=row.organisation,
                sent_at=row.sent_at,
                receipt_due=row.receipt_due,
                feedback_due=row.feedback_due,
                received_at=row.received_at,
                received_by=row.received_by,
                comment=row.comment,
                feedback_at=row.feedback_at,
                feedback_by=row.feedback_by,
                feedback=row.feedback,
                state=state(*moments, present),
                overdue=list(overdue(*moments, present)) if live else [],
                reminded=reminded.get((row.edition, row.organisation), []),
            )
        )
    return made
