"""What there is to match anew: a counter that moves in the transaction of every change."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from operations.advisories.models import AdvisoryRound


def touch(session: Session) -> None:
    """Software or advisories are others now."""
    _held(session).wanted += 1
    session.flush()


def moved(session: Session) -> None:
    """Matches are others now: who counts them (risk) counts anew."""
    _held(session).changed += 1
    session.flush()


def changes(session: Session) -> int:
    """Moves with every change of a match."""
    row = session.get(AdvisoryRound, 1)
    return row.changed if row is not None else 0


def _held(session: Session) -> AdvisoryRound:
    row = session.execute(select(AdvisoryRound).where(AdvisoryRound.id == 1).with_for_update()).scalar_one_or_none()
    if row is None:
        row = AdvisoryRound(id=1, wanted=0, done=-1, plan=-1, changed=0)
        session.add(row)
    return row


def hold(session: Session) -> AdvisoryRound:
    """The row, for who has matched."""
    return _held(session)
