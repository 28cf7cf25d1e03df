"""Challenges: a value that one browser is given, to be answered once and soon."""

from __future__ import annotations

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from operations import clock
from operations.accounts.models import Challenge

LIFE_SECONDS = 600


def put(session: Session, holder: str, purpose: str, value: str, *, seconds: int = LIFE_SECONDS) -> None:
    """Keep ``value`` for the holder; what was kept for the same purpose goes."""
    session.execute(delete(Challenge).where(Challenge.holder == holder, Challenge.purpose == purpose))
    session.add(Challenge(holder=holder, purpose=purpose, value=value, expires_at=clock.shift(clock.now(), seconds)))
    session.flush()


def peek(session: Session, holder: str, purpose: str) -> str | None:
    """What is kept, or None."""
    query = select(Challenge.value).where(
        Challenge.holder == holder, Challenge.purpose == purpose, Challenge.expires_at > clock.now()
    )
    return session.execute(query).scalars().first()


def take(session: Session, holder: str, purpose: str) -> str | None:
    """What is kept, for the last time: a second answer finds nothing. None where there is nothing (any more)."""
    query = select(Challenge).where(Challenge.holder == holder, Challenge.purpose == purpose).with_for_update()
    row = session.execute(query).scalars().first()
    if row is None:
        return None
    gone = session.connection().execute(delete(Challenge).where(Challenge.id == row.id)).rowcount
    return row.value if gone and row.expires_at > clock.now() else None
