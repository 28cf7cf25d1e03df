"""One writer at a time: what is decided from the roster, and from what others wrote just now, must not change underneath."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from operations.duty.models import DutyState


def take_turn(session: Session) -> None:
    """Wait until no other transaction of this room writes (SQLite lets in one writer anyway)."""
    session.execute(select(DutyState.id).where(DutyState.id == 1).with_for_update()).one()
