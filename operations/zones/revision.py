"""The revision of the plan: tells publishers and workers that something changed."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from operations.zones.models import PlanRevision


def advance(session: Session, *, inventory: bool = False) -> None:
    """Say, in the transaction of the change, that the plan (or only the inventory of seen devices) is another now."""
    row = _held(session)
    if row is None:
        row = PlanRevision(id=1, revision=0, inventory=0)
        session.add(row)
    if inventory:
        row.inventory += 1
    else:
        row.revision += 1
    session.flush()


def hold(session: Session) -> int:
    """Revision of the plan; nobody else moves it until the end of this (write) transaction."""
    row = _held(session)
    return row.revision if row is not None else 0


def current(session: Session) -> tuple[int, int]:
    """Revision of the plan and of the inventory."""
    row = session.get(PlanRevision, 1)
    return (row.revision, row.inventory) if row is not None else (0, 0)


def _held(session: Session) -> PlanRevision | None:
    return session.execute(select(PlanRevision).where(PlanRevision.id == 1).with_for_update()).scalar_one_or_none()
