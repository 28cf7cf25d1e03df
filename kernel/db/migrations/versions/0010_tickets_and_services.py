"""Tickets, and the applications of the service catalogue."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_MOMENT = sa.String(27)
_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _text(name: str, width: int = 0) -> sa.Column[Any]:
    return sa.Column(name, sa.String(width) if width else sa.Text, nullable=False)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, _MOMENT, nullable=nullable)


def _number(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer, nullable=False)


def _owner(table: str, column: str) -> sa.Column[Any]:
    return sa.Column(column, _ID, sa.ForeignKey(f"{table}.id", ondelete="CASCADE"), nullable=False)


def upgrade() -> None:
    _tickets()
    _services()


def _tickets() -> None:
    op.create_table(
        "tickets",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        _text("kind", 16),
        _text("title", 200),
        _text("body"),
        _text("level", 16),
        _text("state", 16),
        _text("waiting_for", 8),
        _text("issuer", 128),
        _text("bureau", 128),
        sa.Column("assignee", sa.String(64)),
        sa.Column("delegate", sa.String(64)),
        _moment("delegate_until", nullable=True),
        _text("result"),
        _text("created_by", 160),
        _moment("created_at"),
        _moment("updated_at"),
        _moment("due_at", nullable=True),
        _moment("done_at", nullable=True),
        _number("version"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_tickets_updated", "tickets", ["updated_at", "id"])
    op.create_index("ix_tickets_state_updated", "tickets", ["state", "updated_at", "id"])
    op.create_index("ix_tickets_state_due", "tickets", ["state", "due_at", "id"])
    op.create_index("ix_tickets_due", "tickets", [sa.text("coalesce(due_at, '9999-12-31T23:59:59.999999Z')"), "id"])
    op.create_index("ix_tickets_assignee", "tickets", ["assignee", "state", "updated_at", "id"])
    op.create_index("ix_tickets_delegate", "tickets", ["delegate", "delegate_until"])
    op.create_index("ix_tickets_bureau", "tickets", ["bureau", "state", "updated_at", "id"])
    op.create_index("ix_tickets_bureau_updated", "tickets", ["bureau", "updated_at", "id"])
    op.create_index("ix_tickets_issuer", "tickets", ["issuer", "updated_at", "id"])
    op.create_table(
        "ticket_zones",
        sa.Column("zone", sa.String(64), primary_key=True),
        sa.Column("ticket_id", _ID, sa.ForeignKey("tickets.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    )
    op.create_index("ix_ticket_zones_ticket", "ticket_zones", ["ticket_id"])
    op.create_table(
        "ticket_links",
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("value", sa.String(128), primary_key=True),
        sa.Column("ticket_id", _ID, sa.ForeignKey("tickets.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    )
    op.create_index("ix_ticket_links_ticket", "ticket_links", ["ticket_id"])
    op.create_table(
        "ticket_receipts",
        sa.Column("ticket_id", _ID, sa.ForeignKey("tickets.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
        sa.Column("name", sa.String(160), primary_key=True),
        _moment("time"),
    )
    op.create_table(
        "ticket_history",
        sa.Column("id", _ID, primary_key=True),
        _owner("tickets", "ticket_id"),
        _moment("time"),
        _text("actor", 160),
        _text("act", 16),
        _text("note"),
        _text("detail"),
    )
    op.create_index("ix_ticket_history_ticket", "ticket_history", ["ticket_id", "id"])
    op.create_table(
        "ticket_attachments",
        sa.Column("id", _ID, primary_key=True),
        _owner("tickets", "ticket_id"),
        _moment("time"),
        _text("actor", 160),
        _text("name", 128),
        _number("size"),
        _text("text"),
    )
    op.create_index("ix_ticket_attachments_ticket", "ticket_attachments", ["ticket_id", "id"])


def _services() -> None:
    op.create_table(
        "service_applications",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        _text("service", 32),
        _text("bureau", 128),
        _text("applicant", 160),
        _text("subject", 200),
        _text("form"),
        _text("state", 16),
        _text("reason"),
        _moment("applied_at"),
        _moment("accept_due"),
        _moment("issue_due", nullable=True),
        _moment("accepted_at", nullable=True),
        _text("accepted_by", 160),
        _moment("issued_at", nullable=True),
        _text("issued_by", 160),
        _text("confirmed_by", 160),
        _moment("expires_at", nullable=True),
        _text("grant_kind", 16),
        _text("grant_id", 128),
        _text("granted"),
        sa.Column("renews", _ID),
        _moment("updated_at"),
        _number("version"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_service_applications_updated", "service_applications", ["updated_at", "id"])
    op.create_index("ix_service_applications_state", "service_applications", ["state", "updated_at", "id"])
    op.create_index("ix_service_applications_service", "service_applications", ["service", "state", "updated_at", "id"])
    op.create_index("ix_service_applications_bureau", "service_applications", ["bureau", "applied_at", "id"])
    op.create_index("ix_service_applications_expiry", "service_applications", ["state", "expires_at"])
    op.create_table(
        "service_application_zones",
        sa.Column("zone", sa.String(64), primary_key=True),
        sa.Column(
            "application_id",
            _ID,
            sa.ForeignKey("service_applications.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
    )
    op.create_index("ix_service_application_zones_application", "service_application_zones", ["application_id"])
    op.create_table(
        "service_history",
        sa.Column("id", _ID, primary_key=True),
        _owner("service_applications", "application_id"),
        _moment("time"),
        _text("actor", 160),
        _text("act", 16),
        _text("note"),
    )
    op.create_index("ix_service_history_application", "service_history", ["application_id", "id"])
    op.create_table(
        "service_terms",
        sa.Column("service", sa.String(32), primary_key=True),
        _number("accept_hours"),
        _number("issue_hours"),
        sa.Column("open", sa.Boolean, nullable=False),
        _text("source", 200),
        sa.Column("to_be_confirmed", sa.Boolean, nullable=False),
        _text("changed_by", 160),
        _moment("changed_at"),
        _number("version"),
    )
