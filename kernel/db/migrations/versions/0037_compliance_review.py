"""Steps of findings and decisions, evidence that people bring, comments and requests of auditors, hand-out links."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _text(name: str, width: int = 0) -> sa.Column[Any]:
    return sa.Column(name, sa.String(width) if width else sa.Text, nullable=False)


def _of(name: str, table: str) -> sa.Column[Any]:
    return sa.Column(name, _ID, sa.ForeignKey(f"{table}.id", ondelete="CASCADE"), nullable=False)


def _own() -> sa.Column[Any]:
    return sa.Column("id", _ID, primary_key=True, autoincrement=True)


def upgrade() -> None:
    _remediation()
    _decisions()
    _evidence()
    _review()
    _handouts()


def _remediation() -> None:
    op.add_column("compliance_findings", sa.Column("retest_by", sa.String(160), nullable=False, server_default=""))
    op.create_table(
        "compliance_finding_steps",
        _own(),
        _of("finding_id", "compliance_findings"),
        _text("act", 16),
        _text("value", 64),
        _text("note"),
        _text("by", 160),
        _text("at", 27),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_compliance_finding_steps", "compliance_finding_steps", ["finding_id", "id"])


def _decisions() -> None:
    op.create_table(
        "compliance_decision_steps",
        _own(),
        _of("system_id", "mlps_systems"),
        _text("kind", 16),
        _text("subject", 64),
        sa.Column("object_id", _ID, nullable=False),
        _text("value", 32),
        _text("previous", 32),
        _text("reason"),
        _text("decided_by", 160),
        _text("decided_at", 27),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_compliance_decision_steps", "compliance_decision_steps", ["system_id", "subject", "id"])
    op.execute(
        "INSERT INTO compliance_decision_steps"
        " (system_id, kind, subject, object_id, value, previous, reason, decided_by, decided_at)"
        " SELECT system_id, kind, subject, object_id, value, '', reason, decided_by, decided_at FROM compliance_decisions"
        " ORDER BY decided_at"
    )


def _evidence() -> None:
    op.create_table(
        "compliance_evidence",
        _own(),
        _of("system_id", "mlps_systems"),
        _text("name", 128),
        _text("note"),
        _text("sm3", 64),
        sa.Column("size", sa.Integer, nullable=False),
        _text("head", 64),
        _text("added_by", 160),
        _text("at", 27),
        sa.Column("package", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("system_id", "sm3", name="uq_compliance_evidence"),
        sqlite_autoincrement=True,
    )


def _review() -> None:
    op.create_table(
        "compliance_requests",
        _own(),
        _of("system_id", "mlps_systems"),
        _text("item", 24),
        sa.Column("object_id", _ID, nullable=False),
        _text("state", 16),
        _text("text"),
        _text("due_on", 10),
        _text("asked_by", 160),
        _text("asked_at", 27),
        _text("updated_at", 27),
        sa.Column("version", sa.Integer, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_compliance_requests_state", "compliance_requests", ["state", "id"])
    op.create_index("ix_compliance_requests_system", "compliance_requests", ["system_id", "item", "id"])
    op.create_table(
        "compliance_review_entries",
        _own(),
        _of("system_id", "mlps_systems"),
        _text("item", 24),
        sa.Column("object_id", _ID, nullable=False),
        sa.Column("request_id", _ID, sa.ForeignKey("compliance_requests.id", ondelete="CASCADE"), nullable=True),
        _text("kind", 16),
        _text("text"),
        _text("evidence", 128),
        _text("by", 160),
        _text("at", 27),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_compliance_review_entries_item", "compliance_review_entries", ["system_id", "item", "id"])
    op.create_index("ix_compliance_review_entries_request", "compliance_review_entries", ["request_id", "id"])


def _handouts() -> None:
    op.create_table(
        "compliance_handouts",
        _own(),
        _of("system_id", "mlps_systems"),
        _text("what", 24),
        _text("language", 2),
        _text("recipient", 128),
        _text("token_hash", 64),
        _text("password_hash", 256),
        _text("expires_at", 27),
        sa.Column("maker", sa.Integer, nullable=False),
        _text("made_by", 160),
        _text("made_at", 27),
        _text("revoked_by", 160),
        _text("revoked_at", 27),
        _text("file_name", 128),
        _text("media", 128),
        _text("sm3", 64),
        sa.Column("size", sa.Integer, nullable=False),
        _text("head", 64),
        sa.Column("package", sa.LargeBinary, nullable=True),
        sa.Column("opened", sa.Integer, nullable=False),
        _text("last_at", 27),
        _text("last_from", 64),
        sa.Column("failures", sa.Integer, nullable=False),
        _text("locked_until", 27),
        sa.Column("version", sa.Integer, nullable=False),
        sa.UniqueConstraint("token_hash", name="uq_compliance_handouts_token_hash"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_compliance_handouts_system", "compliance_handouts", ["system_id", "id"])
    op.create_index("ix_compliance_handouts_expiry", "compliance_handouts", ["expires_at"])
    op.create_table(
        "compliance_handout_calls",
        sa.Column("place", sa.String(64), primary_key=True),
        _text("since", 27),
        sa.Column("calls", sa.Integer, nullable=False),
    )
