"""On which side of a ticket somebody stands, and whom it can be given to.

The operator's people have no scope. A bureau's people stand for the organisations whose zones they all see. Who only sees a zone of
a ticket reads it, and signs nothing for the bureau, unless the ticket was given to them.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from operations import clock
from operations.accounts.schema import Principal
from operations.errors import Invalid
from operations.organisations import candidates, organisations_seen
from operations.tickets.models import Ticket
from operations.tickets.rules import HANDLER, ISSUER


def sides(session: Session, who: Principal, ticket: Ticket) -> frozenset[str]:
    """``handler``, ``issuer``, both or neither."""
    found = set()
    ours = organisations_seen(session)
    if _stands_for(ours, ticket.issuer) or ticket.created_by == who.name:
        found.add(ISSUER)
    if ticket.assignee:
        if who.name in (ticket.assignee, delegate_of(ticket)):
            found.add(HANDLER)
    elif _stands_for(ours, ticket.bureau):
        found.add(HANDLER)
    return frozenset(found)


def delegate_of(ticket: Ticket) -> str | None:
    """Who acts for the assignee now."""
    return ticket.delegate if ticket.delegate_until and ticket.delegate_until > clock.now() else None


def check_assignee(session: Session, name: str, bureau: str, zones: frozenset[str]) -> str:
    """The user name. Raises Invalid for somebody who is not of the addressed side, or may not work on tickets."""
    if name not in [user.name for user in candidates(session, "tickets.write", bureau, zones)]:
        raise Invalid(f"{name[:64]!r} cannot be given this ticket", "an active account of the addressed side", field="assignee")
    return name


def _stands_for(ours: frozenset[str] | None, organisation: str) -> bool:
    return not organisation if ours is None else organisation in ours
