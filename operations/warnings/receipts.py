"""What the organisations answer: the receipt (签收), and the feedback on what was done.

An answer names the edition that was read: who looks at a page from before an adjustment does not sign what they have not seen.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from operations import clock
from operations.accounts.schema import Principal
from operations.errors import Conflict, Invalid, NotFound
from operations.reach import organisations_seen
from operations.warnings import history
from operations.warnings.models import WarningReceipt, WarningRow
from operations.warnings.rows import cleaned, lock, need
from operations.warnings.schema import MAX_NOTE, MAX_TEXT


def receive(session: Session, who: Principal, warning_id: int, organisation: str, *, edition: int, comment: str = "") -> None:
    """Sign for an organisation. Raises NotFound (not sent to it, or not the person's), Conflict (signed, old edition)."""
    row, receipt = _receipt(session, warning_id, organisation, edition)
    if receipt.received_at is not None:
        raise Conflict(f"{receipt.received_by} has signed for {organisation} already")
    text = cleaned(comment, "comment", MAX_NOTE)
    receipt.received_at, receipt.received_by, receipt.comment = clock.now(), who.name, text
    history.write(session, who.actor, row, "receive", organisation=organisation, note=text)


def answer(session: Session, who: Principal, warning_id: int, organisation: str, *, edition: int, feedback: str) -> None:
    """Say what was done. Raises NotFound, Invalid (empty), Conflict (not signed yet, answered already, old edition)."""
    row, receipt = _receipt(session, warning_id, organisation, edition)
    if receipt.received_at is None:
        raise Conflict(f"nobody has signed for {organisation} yet", "sign first")
    if receipt.feedback_at is not None:
        raise Conflict(f"{receipt.feedback_by} has given feedback for {organisation} already")
    text = cleaned(feedback, "feedback", MAX_TEXT, needed=True)
    receipt.feedback_at, receipt.feedback_by, receipt.feedback = clock.now(), who.name, text
    history.write(session, who.actor, row, "feedback", organisation=organisation, note=text)


def _receipt(session: Session, warning_id: int, organisation: str, edition: int) -> tuple[WarningRow, WarningReceipt]:
    row = lock(session, warning_id)
    if organisation not in organisations_seen(session):
        raise NotFound(f"warning {warning_id} was not published to {organisation[:64]!r}")
    need(row, "published")
    if edition != row.edition:
        raise Conflict("the warning was adjusted in the meantime", "read the new edition")
    if edition < 1:
        raise Invalid("an edition is a number from 1", field="edition")
    query = select(WarningReceipt).where(
        WarningReceipt.warning_id == warning_id, WarningReceipt.edition == edition, WarningReceipt.organisation == organisation
    )
    receipt = session.execute(query.with_for_update().execution_options(populate_existing=True)).scalar_one_or_none()
    if receipt is None:
        raise NotFound(f"warning {warning_id} was not published to {organisation[:64]!r}")
    return row, receipt
