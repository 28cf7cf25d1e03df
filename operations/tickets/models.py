"""Tables of tickets. A ticket concerns the bureau it is addressed to, the bureau it came from, and the zones it names."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, Text, literal_column, text
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql import ColumnElement

from kernel.db.base import Base

KINDS: tuple[str, ...] = ("remediation", "notification")
STATES: tuple[str, ...] = ("to_read", "to_do", "in_hand", "done", "sent_back")
"""待阅, 待办, 在办, 办结, 打回."""
LEVELS: tuple[str, ...] = ("low", "medium", "high", "critical")
LINK_KINDS: tuple[str, ...] = (
    "alert",
    "zone",
    "conduit",
    "asset",
    "warning",
    "incident",
    "application",
    "certificate",
    "rule",
    "source",
    "control",
)

NO_DATE = "9999-12-31T23:59:59.999999Z"
DUE: ColumnElement[str] = literal_column(f"coalesce(tickets.due_at, '{NO_DATE}')", String)
"""When it is due, those without a date last: written out, because a database finds an index of an expression by its text."""

_Id = BigInteger().with_variant(Integer, "sqlite")
_MOMENT = String(27)


class Ticket(Base):
    """``issuer`` and ``bureau`` are organisations, "" = the operator.

    waiting_for     whose turn it is: ``handler`` (the addressed bureau), ``issuer`` or "" (done)
    assignee        user name of who handles it; None = whoever of the addressed side takes it
    delegate        acts for the assignee until ``delegate_until``
    """

    __tablename__ = "tickets"

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    title: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    level: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16))
    waiting_for: Mapped[str] = mapped_column(String(8))
    issuer: Mapped[str] = mapped_column(String(128))
    bureau: Mapped[str] = mapped_column(String(128))
    assignee: Mapped[str | None] = mapped_column(String(64))
    delegate: Mapped[str | None] = mapped_column(String(64))
    delegate_until: Mapped[str | None] = mapped_column(_MOMENT)
    result: Mapped[str] = mapped_column(Text)
    created_by: Mapped[str] = mapped_column(String(160))
    created_at: Mapped[str] = mapped_column(_MOMENT)
    updated_at: Mapped[str] = mapped_column(_MOMENT)
    due_at: Mapped[str | None] = mapped_column(_MOMENT)
    done_at: Mapped[str | None] = mapped_column(_MOMENT)
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (
        Index("ix_tickets_updated", "updated_at", "id"),
        Index("ix_tickets_state_updated", "state", "updated_at", "id"),
        Index("ix_tickets_state_due", "state", text(f"coalesce(due_at, '{NO_DATE}')"), "id"),
        Index("ix_tickets_due", text(f"coalesce(due_at, '{NO_DATE}')"), "id"),
        Index("ix_tickets_assignee", "assignee", "state", "updated_at", "id"),
        Index("ix_tickets_delegate", "delegate", "delegate_until"),
        Index("ix_tickets_bureau", "bureau", "state", "updated_at", "id"),
        Index("ix_tickets_bureau_updated", "bureau", "updated_at", "id"),
        Index("ix_tickets_issuer", "issuer", "updated_at", "id"),
        Index("ix_tickets_issuer_state", "issuer", "bureau", "state"),
        Index("ix_tickets_waiting", "waiting_for", "state"),
        Index("ix_tickets_created", "created_at"),
        Index("ix_tickets_kind", "kind", "level", "state"),
        {"sqlite_autoincrement": True},
    )


class TicketZone(Base):
    """A zone that a ticket concerns."""

    __tablename__ = "ticket_zones"

    zone: Mapped[str] = mapped_column(String(64), primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)

    __table_args__ = (Index("ix_ticket_zones_ticket", "ticket_id"),)


class TicketLink(Base):
    """What a ticket is about: ``kind`` (LINK_KINDS) and id."""

    __tablename__ = "ticket_links"

    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    value: Mapped[str] = mapped_column(String(128), primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)

    __table_args__ = (Index("ix_ticket_links_ticket", "ticket_id"),)


class TicketReceipt(Base):
    """Who signed for the ticket (签收), and when."""

    __tablename__ = "ticket_receipts"

    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(160), primary_key=True)
    time: Mapped[str] = mapped_column(_MOMENT)


class TicketHistory(Base):
    """What was done: ``act`` (rules.ACTS, create, comment, attach), ``detail`` JSON {field: [before, after]}."""

    __tablename__ = "ticket_history"

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id", ondelete="CASCADE"))
    time: Mapped[str] = mapped_column(_MOMENT)
    actor: Mapped[str] = mapped_column(String(160))
    act: Mapped[str] = mapped_column(String(16))
    note: Mapped[str] = mapped_column(Text)
    detail: Mapped[str] = mapped_column(Text)

    __table_args__ = (Index("ix_ticket_history_ticket", "ticket_id", "id"),)


class TicketAttachment(Base):
    """A text that belongs to a ticket; ``size`` in UTF-8 bytes."""

    __tablename__ = "ticket_attachments"

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    ticket_id: Mapped[int] = mapped_column(ForeignKey("tickets.id", ondelete="CASCADE"))
    time: Mapped[str] = mapped_column(_MOMENT)
    actor: Mapped[str] = mapped_column(String(160))
    name: Mapped[str] = mapped_column(String(128))
    size: Mapped[int]
    text: Mapped[str] = mapped_column(Text)

    __table_args__ = (Index("ix_ticket_attachments_ticket", "ticket_id", "id"),)
