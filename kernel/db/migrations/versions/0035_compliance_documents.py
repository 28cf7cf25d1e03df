"""Findings with their way to being mended, waivers; management documents with versions, items, readers and reminders."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _text(name: str, width: int = 0) -> sa.Column[Any]:
    return sa.Column(name, sa.String(width) if width else sa.Text, nullable=False)


def _number(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer, nullable=False)


def _of(name: str, table: str, *, key: bool = False) -> sa.Column[Any]:
    target = sa.ForeignKey(f"{table}.id", ondelete="CASCADE")
    return sa.Column(name, _ID, target, primary_key=key, autoincrement=False, nullable=False)


def _own() -> sa.Column[Any]:
    return sa.Column("id", _ID, primary_key=True, autoincrement=True)


def upgrade() -> None:
    _remediation()
    _documents()


def _remediation() -> None:
    op.create_table(
        "compliance_findings",
        _own(),
        _of("system_id", "mlps_systems"),
        _text("item", 24),
        sa.Column("object_id", _ID, nullable=False),
        _text("state", 16),
        _text("verdict", 16),
        sa.Column("ticket_id", _ID, sa.ForeignKey("tickets.id", ondelete="SET NULL"), nullable=True),
        _text("due_at", 27),
        _text("waived_until", 27),
        _number("reopened"),
        _text("opened_at", 27),
        _text("retest_at", 27),
        _text("closed_at", 27),
        _text("outcome", 16),
        _text("updated_at", 27),
        _number("version"),
        sa.UniqueConstraint("system_id", "item", "object_id", "closed_at", name="uq_compliance_findings_open"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_compliance_findings_state", "compliance_findings", ["system_id", "state", "id"])
    op.create_index("ix_compliance_findings_due", "compliance_findings", ["system_id", "closed_at", "due_at"])
    op.create_index("ix_compliance_findings_ticket", "compliance_findings", ["ticket_id"])
    op.create_table(
        "compliance_waivers",
        _own(),
        _of("finding_id", "compliance_findings"),
        _of("system_id", "mlps_systems"),
        _text("state", 16),
        _text("reason"),
        _text("measure"),
        _text("expires_at", 27),
        _text("asked_by", 160),
        _text("asked_at", 27),
        _text("decided_by", 160),
        _text("decided_at", 27),
        _text("note"),
        _number("version"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_compliance_waivers_finding", "compliance_waivers", ["finding_id", "state"])
    op.create_index("ix_compliance_waivers_system", "compliance_waivers", ["system_id", "state", "id"])
    op.create_index("ix_compliance_waivers_expiry", "compliance_waivers", ["state", "expires_at"])


def _documents() -> None:
    op.create_table(
        "compliance_documents",
        _own(),
        _text("kind", 16),
        _text("title", 200),
        _text("organisation", 128),
        _text("owner", 64),
        _text("description"),
        _text("review_on", 10),
        _number("edition"),
        _number("in_force"),
        _text("created_by", 160),
        _text("created_at", 27),
        _text("updated_by", 160),
        _text("updated_at", 27),
        _number("version"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_compliance_documents_updated", "compliance_documents", ["updated_at", "id"])
    op.create_index("ix_compliance_documents_organisation", "compliance_documents", ["organisation", "updated_at", "id"])
    op.create_index("ix_compliance_documents_review", "compliance_documents", ["in_force", "review_on"])
    op.create_table(
        "compliance_document_items",
        _of("document_id", "compliance_documents", key=True),
        sa.Column("item", sa.String(24), primary_key=True),
    )
    op.create_index("ix_compliance_document_items_item", "compliance_document_items", ["item", "document_id"])
    op.create_table(
        "compliance_document_editions",
        _own(),
        _of("document_id", "compliance_documents"),
        _number("number"),
        _text("label", 64),
        _text("state", 16),
        _text("file_name", 128),
        _text("media", 16),
        _number("size"),
        _text("sm3", 64),
        _text("head", 64),
        _text("change"),
        _text("added_by", 160),
        _text("added_at", 27),
        _text("approved_by", 160),
        _text("approved_at", 27),
        _text("in_force_at", 27),
        _text("withdrawn_at", 27),
        sa.Column("package", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("document_id", "number", name="uq_compliance_document_editions"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "compliance_document_readers",
        _of("edition_id", "compliance_document_editions", key=True),
        sa.Column("user_id", sa.Integer, sa.ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
        _text("name", 64),
        _text("at", 27),
    )
    op.create_table(
        "compliance_document_reminders",
        _of("document_id", "compliance_documents", key=True),
        sa.Column("review_on", sa.String(10), primary_key=True),
        sa.Column("kind", sa.String(8), primary_key=True),
        _text("sent_at", 27),
    )
