"""When a receipt is due and what is overdue. Pure: moments are @timestamp texts, hours are hours of the clock."""

from __future__ import annotations

from operations import clock

STEPS: tuple[str, ...] = ("receipt", "feedback")
STATES: tuple[str, ...] = ("waiting", "unreceived", "received", "unanswered", "done")


def due(sent_at: str, hours: float) -> str:
    """The moment until which something sent at ``sent_at`` is to be done."""
    return clock.shift(sent_at, hours * 3600)


def overdue(receipt_due: str, feedback_due: str, received_at: str | None, feedback_at: str | None, present: str) -> tuple[str, ...]:
    """The steps that are late at ``present``. At the very moment of the deadline nothing is late yet."""
    late = []
    if received_at is None and receipt_due < present:
        late.append("receipt")
    if feedback_at is None and feedback_due < present:
        late.append("feedback")
    return tuple(late)


def state(receipt_due: str, feedback_due: str, received_at: str | None, feedback_at: str | None, present: str) -> str:
    """One of STATES: waiting (for the receipt), unreceived (late), received (feedback is open), unanswered (late), done."""
    late = overdue(receipt_due, feedback_due, received_at, feedback_at, present)
    if feedback_at is not None:
        return "done"
    if received_at is None:
        return "unreceived" if late else "waiting"
    return "unanswered" if late else "received"
