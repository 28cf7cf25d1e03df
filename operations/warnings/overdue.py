"""Reminders: for every organisation and step that is late, one webhook message, once.

The reminder and its messages are written in one transaction, and the reminder's key is the step itself. A scheduler that is killed
before the commit has reminded nobody and tries again; one that is killed after it finds the reminder. Two at once: the second
violates the key, or waits for the first and finds it.
"""

from __future__ import annotations

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from kernel.db import Database
from operations import clock
from operations.audit import service as audit
from operations.audit.schema import SYSTEM
from operations.warnings import announce
from operations.warnings.deadlines import overdue
from operations.warnings.models import WarningReceipt, WarningReminder, WarningRow

BATCH = 200


def remind_overdue(database: Database) -> int:
    """Remind of everything that is late now and was not reminded of; returns how many. For the scheduler."""
    done = 0
    while True:
        with database.read() as session:
            if not _late(session, clock.now(), 1):
                return done
        with database.write() as session:
            made = remind(session, clock.now())
        done += made
        if made < BATCH:
            return done


def remind(session: Session, present: str) -> int:
    """One batch, in the caller's write transaction."""
    made = 0
    for row, receipt in _late(session, present, BATCH):
        reminded = set(
            session.execute(
                select(WarningReminder.step).where(
                    WarningReminder.warning_id == row.id,
                    WarningReminder.edition == receipt.edition,
                    WarningReminder.organisation == receipt.organisation,
                )
            ).scalars()
        )
        late = overdue(receipt.receipt_due, receipt.feedback_due, receipt.received_at, receipt.feedback_at, present)
        for step in late:
            if step in reminded:
                continue
            session.add(
                WarningReminder(
                    warning_id=row.id, edition=receipt.edition, organisation=receipt.organisation, step=step, time=present
                )
            )
            session.flush()
            messages = announce.overdue(session, row, receipt, step)
            detail = {"organisation": receipt.organisation, "edition": receipt.edition, "step": step, "messages": messages}
            audit.append(session, SYSTEM, "warning.remind", "warning", row.id, detail=detail)
            made += 1
    return made


def _late(session: Session, present: str, limit: int) -> list[tuple[WarningRow, WarningReceipt]]:
    """Receipts of published editions with a step that is late and not reminded of."""

    def unsaid(step: str) -> object:
        return ~exists().where(
            WarningReminder.warning_id == WarningReceipt.warning_id,
            WarningReminder.edition == WarningReceipt.edition,
            WarningReminder.organisation == WarningReceipt.organisation,
            WarningReminder.step == step,
        )

    query = (
        select(WarningRow, WarningReceipt)
        .join(WarningReceipt, (WarningReceipt.warning_id == WarningRow.id) & (WarningReceipt.edition == WarningRow.edition))
        .where(
            WarningRow.status == "published",
            or_(
                WarningReceipt.received_at.is_(None) & (WarningReceipt.receipt_due < present) & unsaid("receipt"),
                WarningReceipt.feedback_at.is_(None) & (WarningReceipt.feedback_due < present) & unsaid("feedback"),
            ),
        )
        .order_by(WarningReceipt.warning_id, WarningReceipt.organisation)
        .limit(limit)
    )
    return [(row, receipt) for row, receipt in session.execute(query)]
