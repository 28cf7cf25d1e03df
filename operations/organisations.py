"""Which organisations (owners of zones) a database session stands for, and who of a bureau may be given something."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from operations.accounts import reach
from operations.accounts.models import User
from operations.accounts.permissions import PERMISSIONS
from operations.reach import zones_seen
from operations.zones.models import ZoneRow


def owners(session: Session) -> dict[str, frozenset[str]]:
    """Organisation → ids of the zones it owns. Read once a snapshot."""
    known: dict[Any, dict[str, frozenset[str]]] = session.info.get("snapshot", {})
    if "owners" not in known:
        found: dict[str, set[str]] = {}
        for zone, owner in session.execute(select(ZoneRow.id, ZoneRow.owner)).all():
            if owner:
                found.setdefault(owner, set()).add(zone)
        known["owners"] = {owner: frozenset(zones) for owner, zones in found.items()}
    return known["owners"]


def within(session: Session, zones: frozenset[str]) -> frozenset[str]:
    """Organisations that are seen as a whole: every zone of theirs is among ``zones``."""
    return frozenset(owner for owner, owned in owners(session).items() if owned <= zones)


def organisations_seen(session: Session) -> frozenset[str] | None:
    """Organisations that this session stands for, None = all (the operator)."""
    zones = zones_seen(session)
    return None if zones is None else within(session, zones)


def reaches(session: Session, user: User, bureau: str, zones: frozenset[str]) -> bool:
    """Does the account belong to the side that is addressed? ``bureau`` "" = the operator, whose people have no scope."""
    seen = reach.zones_of(session, user)
    if not bureau:
        return seen is None
    return seen is not None and (bureau in within(session, seen) or bool(zones & seen))


def candidates(session: Session, permission: str, bureau: str, zones: frozenset[str] = frozenset()) -> list[User]:
    """Active accounts of that side that have ``permission``, by name."""
    roles = [role for role, granted in PERMISSIONS.items() if permission in granted]
    query = select(User).where(User.active, User.role.in_(roles), User.removed_at.is_(None)).order_by(User.name)
    return [user for user in session.execute(query).scalars() if reaches(session, user, bureau, zones)]
