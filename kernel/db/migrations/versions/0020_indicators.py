"""Indicators of compromise."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _text(name: str, width: int = 0) -> sa.Column[Any]:
    return sa.Column(name, sa.String(width) if width else sa.Text, nullable=False)


def upgrade() -> None:
    op.create_table(
        "indicators",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        sa.Column("key", sa.String(64), nullable=False, unique=True),
        _text("kind", 16),
        _text("value", 2048),
        _text("origin", 64),
        sa.Column("confidence", sa.Integer, nullable=False),
        _text("tlp", 16),
        _text("note"),
        _text("reference"),
        _text("valid_until", 27),
        _text("revoked_at", 27),
        _text("revoked_by", 160),
        _text("created_at", 27),
        _text("created_by", 160),
        _text("changed_at", 27),
        sa.Column("version", sa.Integer, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_indicators_value", "indicators", ["value"])
    op.create_index("ix_indicators_origin", "indicators", ["origin", "id"])
    op.create_index("ix_indicators_kind", "indicators", ["kind", "id"])
    op.create_index("ix_indicators_end", "indicators", ["valid_until", "id"])
    op.create_index("ix_indicators_changed", "indicators", ["changed_at", "id"])
