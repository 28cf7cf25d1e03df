"""Lists of tickets: keyset-paged, limited to what the session may see, with the counts of the boxes."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Select, and_, func, or_, select, tuple_, union
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from operations import clock
from operations.errors import Invalid
from operations.organisations import organisations_seen
from operations.reach import zones_seen
from operations.tickets.models import DUE, NO_DATE, STATES, Ticket, TicketLink, TicketZone
from operations.tickets.people import delegate_of
from operations.tickets.schema import TicketFilter, TicketPage, TicketRow
from operations.title_search import titled

MAX_PAGE = 200
COUNT_MENU = 100
"""Beyond that a menu only says that there are more."""
OPEN = ("to_read", "to_do", "in_hand", "sent_back")
SORTS = ("updated", "due")
_CURSOR = re.compile(r"([0-9TZ:.-]{27})~([0-9]{1,18})")
_Query = TypeVar("_Query", bound=Select[*tuple[Any, ...]])


def visible(session: Session, *, few: bool = False) -> list[ColumnElement[bool]]:
    """Conditions that keep what this session may see: its organisations' tickets, and those that name a zone of its.

    ``few``: for a page of rows, each of which is looked up when its turn comes (OFFSET 0 has PostgreSQL do so); without it, whoever
    looks at many rows has those of the zones read first.
    """
    zones = zones_seen(session)
    if zones is None:
        return []
    named = select(TicketZone.zone).where(TicketZone.ticket_id == Ticket.id, TicketZone.zone.in_(sorted(zones)))
    ours = sorted(organisations_seen(session) or ())
    return [or_(Ticket.bureau.in_(ours), Ticket.issuer.in_(ours), (named.offset(0) if few else named).exists())]


def list_tickets(
    session: Session, where: TicketFilter = TicketFilter(), *, sort: str = "updated", limit: int = 50, cursor: str = ""
) -> TicketPage:
    """One page: last changed first, or (``due``) what is due first. Raises Invalid for a cursor that is none."""
    limit = max(1, min(limit, MAX_PAGE))
    key: Any = Ticket.updated_at if sort == "updated" else DUE
    query = _filtered(session, select(Ticket), where, few=True)
    if cursor:
        match = _CURSOR.fullmatch(cursor)
        if match is None:
            raise Invalid("the page cursor cannot be read", "start again from the first page", field="cursor")
        here = tuple_(key, Ticket.id)
        there = tuple_(match[1], int(match[2]))
        query = query.where(here < there if sort == "updated" else here > there)
    order = (key.desc(), Ticket.id.desc()) if sort == "updated" else (key, Ticket.id)
    found = list(session.execute(query.order_by(*order).limit(limit + 1)).scalars())
    rows = [row_of(one) for one in found[:limit]]
    if len(found) <= limit:
        return TicketPage(rows)
    last = found[limit - 1]
    return TicketPage(rows, f"{last.updated_at if sort == 'updated' else last.due_at or NO_DATE}~{last.id}")


def count_boxes(session: Session, where: TicketFilter = TicketFilter()) -> dict[str, int]:
    """Tickets by state, the filter's own state left out."""
    found = _seen_by_state(session) if msgspec.structs.replace(where, state="") == TicketFilter() else None
    if found is None:
        counted = _filtered(session, select(Ticket.state, func.count()).group_by(Ticket.state), where, with_state=False)
        found = {row[0]: row[1] for row in session.execute(counted)}
    return {state: found.get(state, 0) for state in STATES}


def count_hidden(session: Session, state: str = "") -> int:
    """How many tickets (of that state) this session may not see. Only the state narrows it: any other filter would let the
    number tell what stands in tickets of others."""
    known = _seen_by_state(session)
    if known is None:
        return 0
    every = select(func.count()).select_from(Ticket)
    if state:
        every = every.where(Ticket.state == state)
    return session.execute(every).scalar_one() - (known.get(state, 0) if state else sum(known.values()))


def _seen_by_state(session: Session) -> dict[str, int] | None:
    """How many tickets of each state this session may see; None for who may see all. Counted once a snapshot."""
    zones = zones_seen(session)
    if zones is None:
        return None
    known: dict[Any, dict[str, int]] = session.info.get("snapshot", {})
    if "tickets_seen" in known:
        return known["tickets_seen"]
    # Each way to see a ticket through its own index: the condition of `visible` would be checked for every ticket there is.
    organisations = sorted(organisations_seen(session) or ())
    to_us, from_us = Ticket.bureau.in_(organisations), Ticket.issuer.in_(organisations)
    number = TicketZone.ticket_id
    named = select(number).where(
        TicketZone.zone.in_(sorted(zones)), *(number.not_in(select(Ticket.id).where(way)) for way in (to_us, from_us))
    )
    counted: Counter[str] = Counter()
    for ways in ([to_us], [from_us, Ticket.bureau.not_in(organisations)], [Ticket.id.in_(named)]):
        by_state = select(Ticket.state, func.count()).where(*ways).group_by(Ticket.state)
        counted.update({row[0]: row[1] for row in session.execute(by_state)})
    known["tickets_seen"] = dict(counted)
    return known["tickets_seen"]


def count_waiting(session: Session, name: str) -> int:
    """Open tickets in which it is the turn of the person ``name``, or of their side; at most COUNT_MENU."""
    ours, seen = organisations_seen(session), visible(session, few=True)

    def side(column: Any) -> ColumnElement[bool]:
        return column.in_([""] if ours is None else sorted(ours))  # type: ignore[no-any-return]

    # Open and not the issuer's is the handler's. Put so, no database takes the index of it, where too many wait for a handler.
    handler = (Ticket.waiting_for != "issuer", Ticket.state.in_(OPEN))
    found = [
        select(Ticket.id).where(*conditions).limit(COUNT_MENU).subquery()
        for conditions in (  # who stands for a side sees what is addressed to it, and what comes from it
            (*handler, Ticket.assignee == name, *seen),
            (*handler, Ticket.delegate == name, Ticket.delegate_until > clock.now(), *seen),
            (*handler, Ticket.assignee.is_(None), side(Ticket.bureau)),
            (Ticket.waiting_for == "issuer", or_(side(Ticket.issuer), and_(Ticket.created_by == name, *seen))),
        )
    ]  # each by an index of its own
    ids = union(*(select(one.c.id) for one in found)).limit(COUNT_MENU).subquery()
    return session.execute(select(func.count()).select_from(ids)).scalar_one()


def row_of(ticket: Ticket) -> TicketRow:
    """As shown in a list."""
    names = [name for name in TicketRow.__struct_fields__ if name not in ("delegate", "overdue")]
    values = {name: getattr(ticket, name) for name in names}
    late = ticket.state != "done" and ticket.due_at is not None and ticket.due_at < clock.now()
    return TicketRow(**values, delegate=delegate_of(ticket), overdue=late)


def _filtered(session: Session, query: _Query, where: TicketFilter, *, with_state: bool = True, few: bool = False) -> _Query:
    query = query.where(*visible(session, few=few))
    if with_state and where.state:
        query = query.where(Ticket.state == where.state)
    for column, value in ((Ticket.kind, where.kind), (Ticket.level, where.level), (Ticket.bureau, where.bureau)):
        if value:
            query = query.where(column == value)
    if where.mine:
        acting = and_(Ticket.delegate == where.mine, Ticket.delegate_until > clock.now())
        query = query.where(or_(Ticket.assignee == where.mine, acting))
    if where.overdue:
        query = query.where(Ticket.state != "done", clock.now() > DUE)
    if where.link is not None:
        linked = select(TicketLink.ticket_id).where(TicketLink.kind == where.link.kind, TicketLink.value == where.link.value)
        query = query.where(Ticket.id.in_(linked))
    return query.where(*titled(session, "ticket_title", Ticket.id, Ticket.title, where.text))
