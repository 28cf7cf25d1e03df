"""Compliance in the console: what was done about a finding, and who asked for its re-test."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0035"
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
