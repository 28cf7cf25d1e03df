"""Records of tickets as other rooms see them."""

from __future__ import annotations

import msgspec


class Link(msgspec.Struct, frozen=True):
    """Something a ticket is about."""

    kind: str
    value: str


class Draft(msgspec.Struct, frozen=True):
    """What a new ticket says. ``bureau`` "" = to the operator; ``due_at`` @timestamp text or ""."""

    kind: str
    title: str
    body: str = ""
    level: str = "medium"
    bureau: str = ""
    assignee: str = ""
    due_at: str = ""
    zones: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()


class Act(msgspec.Struct, frozen=True):
    """What somebody does to a ticket (rules.ACTS). Only some acts look at the other fields.

    note      why; finishing needs the result here, sending back and closing the reason
    assignee  transfer and delegate: the user name
    bureau    transfer: to another organisation, None = stays
    until     delegate: @timestamp text; edit: the new due moment, "" = none, None = stays
    title, body, level  edit: None = stays
    """

    act: str
    note: str = ""
    assignee: str = ""
    bureau: str | None = None
    until: str | None = None
    title: str | None = None
    body: str | None = None
    level: str | None = None


class TicketRow(msgspec.Struct, frozen=True):
    """A ticket in a list. ``delegate`` only while the delegation is in force."""

    id: int
    kind: str
    title: str
    level: str
    state: str
    waiting_for: str
    issuer: str
    bureau: str
    assignee: str | None
    delegate: str | None
    delegate_until: str | None
    created_by: str
    created_at: str
    updated_at: str
    due_at: str | None
    done_at: str | None
    overdue: bool
    version: int


class Step(msgspec.Struct, frozen=True):
    """One line of the history; ``detail`` field → [before, after]."""

    id: int
    time: str
    actor: str
    act: str
    note: str
    detail: dict[str, list[str | None]]


class Receipt(msgspec.Struct, frozen=True):
    """Who signed, and when."""

    name: str
    time: str


class AttachmentRecord(msgspec.Struct, frozen=True):
    """An attachment without its text."""

    id: int
    name: str
    size: int
    actor: str
    time: str


class TicketDetail(msgspec.Struct, frozen=True):
    """A ticket with all that belongs to it; ``acts`` are those that the reader may do now."""

    ticket: TicketRow
    body: str
    result: str
    zones: list[str]
    links: list[Link]
    receipts: list[Receipt]
    attachments: list[AttachmentRecord]
    history: list[Step]
    acts: list[str]


class TicketPage(msgspec.Struct, frozen=True):
    """One page; ``cursor`` fetches the next ("" at the end)."""

    tickets: list[TicketRow]
    cursor: str = ""


class TicketFilter(msgspec.Struct, frozen=True):
    """``mine``: assigned to this user name, or delegated to it now. ``bureau`` addressed to."""

    state: str = ""
    kind: str = ""
    level: str = ""
    bureau: str = ""
    mine: str = ""
    overdue: bool = False
    text: str = ""
    link: Link | None = None
