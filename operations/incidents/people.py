"""Who can be given an incident or a task."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from operations.accounts.models import User
from operations.accounts.permissions import PERMISSIONS
from operations.accounts.schema import UserRecord
from operations.accounts.service import records
from operations.errors import Invalid

_WORKERS = [role for role, permissions in PERMISSIONS.items() if "incidents.write" in permissions]


def check_assignee(session: Session, name: str) -> str:
    """ "" or the name of an active account that may work on incidents. Raises Invalid."""
    if not name:
        return ""
    query = select(User.id).where(User.name == name, User.active, User.role.in_(_WORKERS), User.removed_at.is_(None))
    if session.execute(query).first() is None:
        raise Invalid(f"{name[:64]!r} cannot be given incidents", "an active account that may work on them", field="assignee")
    return name


def assignable(session: Session) -> list[UserRecord]:
    """Accounts that may work on incidents, by name."""
    query = select(User).where(User.active, User.role.in_(_WORKERS), User.removed_at.is_(None)).order_by(User.name)
    return records(session, list(session.execute(query).scalars()))
