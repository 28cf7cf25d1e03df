"""What a scope lets somebody see: ids of zones.

The console and the API put them into every session of the state database (``session.info``), where the rooms of alerts, assets and
zones look for them; the event store is asked through soc_ui.reach. Roles of the platform work without a limit.
"""

from __future__ import annotations

import json

from sqlalchemy import select
from sqlalchemy.orm import Session

from operations.accounts.models import User
from operations.accounts.permissions import SCOPED_ONLY
from operations.accounts.schema import Reach
from operations.errors import Invalid
from operations.zones.models import ZoneRow

MOST = 64


def reach_of(user: User) -> Reach:
    """The scope of an account as it was given."""
    return Reach(tuple(json.loads(user.organisations)), tuple(json.loads(user.zones)))


def zones_of(session: Session, user: User) -> frozenset[str] | None:
    """Ids of the zones that the account may see, None for all. An organisation stands for the zones it owns now."""
    reach = reach_of(user)
    if not reach:
        return frozenset() if user.role in SCOPED_ONLY else None
    owned = select(ZoneRow.id).where(ZoneRow.owner.in_(reach.organisations)) if reach.organisations else None
    return frozenset(reach.zones) | frozenset(session.execute(owned).scalars() if owned is not None else ())


def choices(session: Session) -> Reach:
    """Organisations and zones that the zone plan knows."""
    rows = session.execute(select(ZoneRow.id, ZoneRow.owner).order_by(ZoneRow.id)).all()
    return Reach(tuple(sorted({row.owner for row in rows if row.owner})), tuple(row.id for row in rows))


def check(session: Session, reach: Reach) -> Reach:
    """The scope, each name once. Raises Invalid for what the zone plan does not know."""
    known = choices(session)
    reach = Reach(tuple(dict.fromkeys(reach.organisations)), tuple(dict.fromkeys(reach.zones)))
    for field, names, there in (
        ("organisations", reach.organisations, known.organisations),
        ("zones", reach.zones, known.zones),
    ):
        unknown = [name for name in names if name not in there]
        if unknown:
            raise Invalid(f"the zone plan does not know {unknown[0][:64]!r}", "see the zone map for owners and ids", field)
        if len(names) > MOST:
            raise Invalid(f"at most {MOST} of a kind", field=field)
    return reach
