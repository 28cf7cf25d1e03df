"""Steps of findings, who asked for a re-test, what was decided before, evidence that people bring."""

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
