"""Verdicts of items on objects with their history, decisions of people, kept scores."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _text(name: str, width: int = 0) -> sa.Column[Any]:
    return sa.Column(name, sa.String(width) if width else sa.Text, nullable=False)


def _system(*, key: bool = False) -> sa.Column[Any]:
    return sa.Column("system_id", _ID, sa.ForeignKey("mlps_systems.id", ondelete="CASCADE"), primary_key=key, nullable=False)


def _object(*, key: bool = False) -> sa.Column[Any]:
    return sa.Column("object_id", _ID, primary_key=key, autoincrement=False, nullable=False)


def upgrade() -> None:
    op.create_table(
        "compliance_verdicts",
        _system(key=True),
        sa.Column("item", sa.String(24), primary_key=True),
        _object(key=True),
        _text("standard", 8),
        _text("security_class", 16),
        _text("verdict", 16),
        _text("source", 8),
        _text("judged_by", 160),
        _text("reason"),
        _text("evidence", 128),
        _text("reproduce"),
        _text("detail"),
        _text("at", 27),
        _text("checked_at", 27),
        _text("probed", 16),
        _text("probed_at", 27),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_index("ix_compliance_verdicts_items", "compliance_verdicts", ["system_id", "standard", "item", "verdict"])
    op.create_index("ix_compliance_verdicts_objects", "compliance_verdicts", ["object_id", "security_class", "verdict"])
    op.create_table(
        "compliance_verdict_steps",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        _system(),
        _text("item", 24),
        _object(),
        _text("verdict", 16),
        _text("previous", 16),
        _text("source", 8),
        _text("judged_by", 160),
        _text("reason"),
        _text("evidence", 128),
        _text("reproduce"),
        _text("at", 27),
        sa.Column("counted", sa.Boolean, nullable=False),
    )
    op.create_index("ix_compliance_verdict_steps", "compliance_verdict_steps", ["system_id", "item", "object_id", "id"])
    op.create_table(
        "compliance_decisions",
        _system(key=True),
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("subject", sa.String(64), primary_key=True),
        _object(key=True),
        _text("value", 32),
        _text("reason"),
        _text("decided_by", 160),
        _text("decided_at", 27),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_table(
        "compliance_scores",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        _system(),
        _text("template", 8),
        _text("at", 27),
        _text("kept_by", 160),
        _text("value", 16),
        _text("conclusion", 32),
        sa.Column("provisional", sa.Boolean, nullable=False),
        _text("outcome"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_compliance_scores", "compliance_scores", ["system_id", "template", "id"])
