"""The improvement register."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _text(name: str, width: int = 0) -> sa.Column[Any]:
    return sa.Column(name, sa.String(width) if width else sa.Text, nullable=False)


def upgrade() -> None:
    op.create_table(
        "improvements",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        _text("title", 200),
        _text("body"),
        _text("source", 16),
        sa.Column("origin", sa.String(64), nullable=True, unique=True),
        _text("organisation", 128),
        _text("responsible", 64),
        _text("state", 16),
        sa.Column("due_at", sa.String(27), nullable=True),
        _text("result"),
        _text("effect"),
        _text("created_by", 160),
        _text("created_at", 27),
        _text("updated_at", 27),
        _text("done_by", 160),
        _text("verified_by", 160),
        sa.Column("version", sa.Integer, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_improvements_updated", "improvements", ["updated_at", "id"])
    op.create_index("ix_improvements_state", "improvements", ["state", "updated_at", "id"])
    op.create_index("ix_improvements_organisation", "improvements", ["organisation", "updated_at", "id"])
    op.create_table(
        "improvement_steps",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        sa.Column("improvement_id", _ID, sa.ForeignKey("improvements.id", ondelete="CASCADE"), nullable=False),
        _text("time", 27),
        _text("actor", 160),
        _text("act", 16),
        _text("note"),
    )
    op.create_index("ix_improvement_steps", "improvement_steps", ["improvement_id", "id"])
