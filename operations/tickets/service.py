"""Tickets: make, read, act, comment, attach. Every change is in the history and the audit trail, and is announced.

An act names the ``version`` it was decided on; where somebody else acted meanwhile it is refused (Conflict).
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from operations import clock
from operations.accounts.schema import Principal
from operations.audit import service as audit
from operations.errors import Conflict, Denied, Invalid, NotFound
from operations.organisations import organisations_seen, owners
from operations.reach import sees, zones_seen
from operations.tickets import rules
from operations.tickets.listing import count_boxes, count_hidden, list_tickets, row_of, visible
from operations.tickets.models import (
    KINDS,
    LEVELS,
    LINK_KINDS,
    Ticket,
    TicketAttachment,
    TicketHistory,
    TicketLink,
    TicketReceipt,
    TicketZone,
)
from operations.tickets.people import check_assignee, sides
from operations.tickets.schema import Act, AttachmentRecord, Draft, Link, Receipt, Step, TicketDetail, TicketRow
from operations.webhooks.outbox import announce
from operations.written import choice, moment, text
from operations.zones.models import ZoneRow

__all__ = [
    "act",
    "add_attachment",
    "add_comment",
    "count_boxes",
    "count_hidden",
    "create",
    "get_attachment",
    "get_detail",
    "get_ticket",
    "list_tickets",
]

MAX_TITLE, MAX_BODY, MAX_NOTE = 200, 20_000, 10_000
MAX_ZONES, MAX_LINKS, MAX_HISTORY = 64, 20, 500
MAX_ATTACHMENTS, MAX_ATTACHMENT = 20, 65_536
MAX_DELEGATION = 90 * 86_400
_LINK = re.compile(r"[^\s\x00-\x1f\x7f/\\?#%]{1,128}")


def create(session: Session, who: Principal, draft: Draft) -> TicketRow:
    """A new ticket, from the operator to a bureau or from a bureau to the operator. Raises Invalid, Denied."""
    ours = organisations_seen(session)
    if ours is None:
        issuer = ""
    elif len(ours) != 1:
        raise Denied("your scope does not stand for one organisation", "ask for the organisation as your scope")
    else:
        (issuer,) = ours
        if draft.bureau and draft.bureau != issuer:
            raise Invalid("a bureau writes to the operator", "leave the bureau empty", field="bureau")
    known = owners(session)
    if draft.bureau and draft.bureau not in known:
        raise Invalid(f"no zone belongs to {draft.bureau[:64]!r}", "an owner of the zone plan, or empty", field="bureau")
    zones = _zones(session, draft.zones)
    present = clock.now()
    due = moment(draft.due_at, "due_at")
    if due is not None and due <= present:
        raise Invalid("the due moment has passed", field="due_at")
    ticket = Ticket(
        kind=choice(draft.kind, "kind", KINDS),
        title=text(draft.title, "title", MAX_TITLE, needed=True),
        body=text(draft.body, "body", MAX_BODY),
        level=choice(draft.level, "level", LEVELS),
        state="to_read",
        waiting_for=rules.HANDLER,
        issuer=issuer,
        bureau=draft.bureau,
        assignee=check_assignee(session, draft.assignee, draft.bureau, zones) if draft.assignee else None,
        result="",
        created_by=who.name,
        created_at=present,
        updated_at=present,
        due_at=due,
    )
    session.add(ticket)
    session.flush()
    session.add_all(TicketZone(zone=zone, ticket_id=ticket.id) for zone in sorted(zones))
    session.add_all(TicketLink(kind=one.kind, value=one.value, ticket_id=ticket.id) for one in _links(draft.links))
    _note(session, who, ticket, "create", "", {})
    audit.append(session, who.actor, "ticket.create", "ticket", ticket.id, detail={"kind": ticket.kind, "bureau": ticket.bureau})
    announce(session, "ticket.created", _told(ticket))
    return row_of(ticket)


def get_ticket(session: Session, ticket_id: int) -> TicketRow:
    """One ticket. Raises NotFound, also where the session may not see it."""
    return row_of(_find(session, ticket_id))


def get_detail(session: Session, who: Principal, ticket_id: int) -> TicketDetail:
    """One ticket with all that belongs to it. Raises NotFound."""
    ticket = _find(session, ticket_id)
    steps = select(TicketHistory).where(TicketHistory.ticket_id == ticket_id).order_by(TicketHistory.id.desc()).limit(MAX_HISTORY)
    receipts = select(TicketReceipt).where(TicketReceipt.ticket_id == ticket_id).order_by(TicketReceipt.time)
    return TicketDetail(
        ticket=row_of(ticket),
        body=ticket.body,
        result=ticket.result,
        zones=sorted(_zones_of(session, ticket_id)),
        links=[
            Link(one.kind, one.value)
            for one in session.scalars(select(TicketLink).where(TicketLink.ticket_id == ticket_id).order_by(TicketLink.kind))
        ],
        receipts=[Receipt(one.name, one.time) for one in session.scalars(receipts)],
        attachments=[
            AttachmentRecord(*row)
            for row in session.execute(
                select(
                    TicketAttachment.id,
                    TicketAttachment.name,
                    TicketAttachment.size,
                    TicketAttachment.actor,
                    TicketAttachment.time,
                )
                .where(TicketAttachment.ticket_id == ticket_id)
                .order_by(TicketAttachment.id)
            )
        ],
        history=[
            Step(one.id, one.time, one.actor, one.act, one.note, msgspec.json.decode(one.detail)) for one in session.scalars(steps)
        ],
        acts=rules.allowed(ticket.kind, ticket.state, ticket.waiting_for, sides(session, who, ticket))
        if who.may("tickets.write")
        else [],
    )


def act(session: Session, who: Principal, ticket_id: int, given: Act, *, expected_version: int | None = None) -> TicketRow:
    """Do one of rules.ACTS. Raises NotFound, Denied (not this person, or not in this state), Invalid, Conflict."""
    ticket = _find(session, ticket_id, for_update=True)
    if expected_version is not None and ticket.version != expected_version:
        raise Conflict(f"ticket {ticket_id} was changed by somebody else", "reload it and decide again")
    choice(given.act, "act", rules.ACTS)
    found = rules.step(given.act, ticket.kind, ticket.state, ticket.waiting_for, sides(session, who, ticket))
    if found is None:
        raise Denied(f"{given.act} is not possible for you while the ticket is {ticket.state}")
    note = text(given.note, "note", MAX_NOTE, needed=found.reason)
    changes = _changes(session, ticket, given)
    if found.to:
        changes |= {"state": found.to, "waiting_for": found.waiting_for}
    if given.act == "take" and not ticket.assignee:
        changes["assignee"] = who.name
    if given.act == "finish":
        changes["result"] = note
    present = clock.now()
    if "state" in changes:
        changes["done_at"] = present if changes["state"] == "done" else None
    before = {name: getattr(ticket, name) for name in changes}
    for name, value in changes.items():
        setattr(ticket, name, value)
    ticket.version += 1
    ticket.updated_at = present
    if given.act in ("receipt", "take") and session.get(TicketReceipt, (ticket.id, who.name)) is None:
        session.add(TicketReceipt(ticket_id=ticket.id, name=who.name, time=present))
    shown = {name: [before[name], value] for name, value in changes.items() if name not in ("body", "result", "done_at")}
    shown = {name: pair for name, pair in shown.items() if pair[0] != pair[1]}
    _note(session, who, ticket, given.act, note, shown)
    audit.append(session, who.actor, f"ticket.{given.act}", "ticket", ticket.id, detail={"changed": shown, "note": bool(note)})
    announce(session, "ticket.changed", _told(ticket) | {"act": given.act})
    session.flush()
    return row_of(ticket)


def add_comment(session: Session, who: Principal, ticket_id: int, note: str) -> None:
    """Write into the history; everybody who sees the ticket may. Raises NotFound, Invalid."""
    ticket = _find(session, ticket_id)
    written = text(note, "note", MAX_NOTE, needed=True)
    _note(session, who, ticket, "comment", written, {})
    audit.append(session, who.actor, "ticket.comment", "ticket", ticket_id, detail={"characters": len(written)})


def add_attachment(session: Session, who: Principal, ticket_id: int, name: str, content: str) -> int:
    """Keep a text with the ticket; returns its number. Raises NotFound, Invalid (too large, too many)."""
    ticket = _find(session, ticket_id, for_update=True)
    label = text(name, "name", 128, needed=True)
    if re.search(r"[\x00-\x1f\x7f/\\]", label) or label in (".", ".."):
        raise Invalid("the name has characters that no file name has", field="name")
    body = content.replace("\0", "").encode("utf-8", "replace").decode()
    size = len(body.encode())
    if not body.strip() or size > MAX_ATTACHMENT:
        raise Invalid(f"an attachment is a text of 1 to {MAX_ATTACHMENT} bytes", field="text")
    count = session.scalar(select(func.count()).where(TicketAttachment.ticket_id == ticket.id)) or 0
    if count >= MAX_ATTACHMENTS:
        raise Invalid(f"a ticket has at most {MAX_ATTACHMENTS} attachments", field="name")
    row = TicketAttachment(ticket_id=ticket.id, time=clock.now(), actor=who.actor.name[:160], name=label, size=size, text=body)
    session.add(row)
    _note(session, who, ticket, "attach", label, {})
    audit.append(session, who.actor, "ticket.attach", "ticket", ticket_id, detail={"name": label, "bytes": size})
    session.flush()
    return row.id


def get_attachment(session: Session, ticket_id: int, attachment_id: int) -> tuple[str, str]:
    """Name and text. Raises NotFound."""
    _find(session, ticket_id)
    row = session.get(TicketAttachment, attachment_id)
    if row is None or row.ticket_id != ticket_id:
        raise NotFound("there is no such attachment")
    return row.name, row.text


def _changes(session: Session, ticket: Ticket, given: Act) -> dict[str, Any]:
    """The fields that an act changes besides the state."""
    if given.act == "transfer":
        bureau = ticket.bureau if given.bureau is None else given.bureau
        if bureau != ticket.bureau:
            if zones_seen(session) is not None:
                raise Denied("only the operator moves a ticket to another organisation")
            if bureau and bureau not in owners(session):
                raise Invalid(f"no zone belongs to {bureau[:64]!r}", field="bureau")
        elif not given.assignee:
            raise Invalid("to whom?", "name an account or another organisation", field="assignee")
        zones = frozenset(_zones_of(session, ticket.id))
        assignee = check_assignee(session, given.assignee, bureau, zones) if given.assignee else None
        moved: dict[str, Any] = {"state": "to_read", "waiting_for": rules.HANDLER} if bureau != ticket.bureau else {}
        return {"bureau": bureau, "assignee": assignee, "delegate": None, "delegate_until": None, **moved}
    if given.act == "delegate":
        if not given.assignee:
            return {"delegate": None, "delegate_until": None}
        until = moment(given.until or "", "until")
        present = clock.now()
        if until is None or not present < until <= clock.shift(present, MAX_DELEGATION):
            raise Invalid("a delegation ends within 90 days", field="until")
        if given.assignee == ticket.assignee:
            raise Invalid("this is the assignee", field="assignee")
        zones = frozenset(_zones_of(session, ticket.id))
        return {"delegate": check_assignee(session, given.assignee, ticket.bureau, zones), "delegate_until": until}
    if given.act == "edit":
        changes: dict[str, Any] = {} if given.until is None else {"due_at": moment(given.until, "until")}
        if given.title is not None:
            changes["title"] = text(given.title, "title", MAX_TITLE, needed=True)
        if given.body is not None:
            changes["body"] = text(given.body, "body", MAX_BODY)
        if given.level is not None:
            changes["level"] = choice(given.level, "level", LEVELS)
        return changes
    return {}


def _find(session: Session, ticket_id: int, *, for_update: bool = False) -> Ticket:
    query = select(Ticket).where(Ticket.id == ticket_id, *visible(session))
    found = session.execute(query.with_for_update() if for_update else query).scalar_one_or_none()
    if found is None:
        raise NotFound(f"there is no ticket {ticket_id}")
    return found


def _zones(session: Session, given: tuple[str, ...]) -> frozenset[str]:
    if len(given) > MAX_ZONES:
        raise Invalid(f"a ticket names at most {MAX_ZONES} zones", field="zones")
    for zone in given:
        if session.get(ZoneRow, zone) is None or not sees(session, zone):
            raise Invalid(f"there is no zone {zone[:64]!r}", field="zones")
    return frozenset(given)


def _zones_of(session: Session, ticket_id: int) -> list[str]:
    return list(session.scalars(select(TicketZone.zone).where(TicketZone.ticket_id == ticket_id)))


def _links(given: tuple[Link, ...]) -> list[Link]:
    if len(given) > MAX_LINKS:
        raise Invalid(f"a ticket has at most {MAX_LINKS} links", field="links")
    for one in given:
        choice(one.kind, "kind of link", LINK_KINDS)
        if not _LINK.fullmatch(one.value):
            raise Invalid("the id of a link has 1 to 128 characters without blanks and slashes", field="links")
    return list(dict.fromkeys(given))


def _note(session: Session, who: Principal, ticket: Ticket, what: str, note: str, detail: dict[str, Any]) -> None:
    written = msgspec.json.encode(detail).decode()
    row = TicketHistory(ticket_id=ticket.id, time=clock.now(), actor=who.actor.name[:160], act=what, note=note, detail=written)
    session.add(row)


def _told(ticket: Ticket) -> dict[str, Any]:
    names = ("id", "kind", "title", "level", "state", "issuer", "bureau", "assignee", "due_at")
    return {name: getattr(ticket, name) for name in names}
