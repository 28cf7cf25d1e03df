"""Which zones a database session may see, and which organisations it speaks for.

Whoever opens the database for a person with a scope puts the zones into ``session.info`` (Database.carrying); the rooms of alerts,
assets and zones ask here and add the condition to every query. Without them (the platform's own
processes, people without a scope) all is seen.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.orm import Session

from kernel.query.tree import Equals, Match, Node, Or

SESSION_KEY = "zones"
ORGANISATIONS_KEY = "organisations"
ZONE_FIELDS = ("host.zone", "source.zone", "destination.zone")
"""Fields of an event that say which zones it concerns."""


def zones_seen(session: Session) -> frozenset[str] | None:
    """Ids of the zones that may be seen, None = all."""
    found = session.info.get(SESSION_KEY)
    return found if found is None else frozenset(found)


def sees(session: Session, zone: str) -> bool:
    """True where the zone may be seen; "" is no zone."""
    seen = zones_seen(session)
    return seen is None or zone in seen


def organisations_seen(session: Session) -> frozenset[str]:
    """Organisations of the scope by name; empty for who works without a limit, and for who sees single zones."""
    return frozenset(session.info.get(ORGANISATIONS_KEY) or ())


def concerning(zones: Iterable[str]) -> Node:
    """The condition that an event concerns one of these zones; there has to be one."""
    return Or(tuple(Match(field, Equals(zone)) for zone in sorted(zones) for field in ZONE_FIELDS))
