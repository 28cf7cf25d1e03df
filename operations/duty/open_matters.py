"""What is open at a moment: the numbers that a hand-over note freezes."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from operations.alerts.models import AlertCount
from operations.duty.models import Escalation
from operations.services.models import OPEN, Application
from operations.tickets.models import Ticket

NAMES: tuple[str, ...] = ("critical", "high", "medium", "low", "informational", "tickets", "applications", "escalations")
"""Open alerts by level, then the others."""


def counts(session: Session) -> dict[str, int]:
    """By name, in the order of NAMES."""
    open_ = (AlertCount.dimension == "all", AlertCount.status.in_(("new", "acknowledged", "in_progress")))
    levels = select(AlertCount.level, func.sum(AlertCount.count)).where(*open_).group_by(AlertCount.level)
    found = {row[0]: int(row[1]) for row in session.execute(levels)}
    found["tickets"] = session.scalar(select(func.count()).select_from(Ticket).where(Ticket.state != "done")) or 0
    found["applications"] = session.scalar(select(func.count()).select_from(Application).where(Application.state.in_(OPEN))) or 0
    waiting = select(func.count()).select_from(Escalation).where(Escalation.acknowledged_at.is_(None))
    found["escalations"] = session.scalar(waiting) or 0
    return {name: found.get(name, 0) for name in NAMES}
