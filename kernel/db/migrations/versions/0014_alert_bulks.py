"""Alerts at the desk: bulk acts that outlive a crash."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_MOMENT = sa.String(27)


def _text(name: str, width: int = 0) -> sa.Column[Any]:
    return sa.Column(name, sa.String(width) if width else sa.Text, nullable=False)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, _MOMENT, nullable=nullable)


def _number(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer, nullable=False)


def upgrade() -> None:
    op.create_table(
        "alert_bulks",
        sa.Column("id", sa.String(32), primary_key=True),
        _text("owner", 64),
        _text("actor", 160),
        _text("address", 64),
        _text("kind", 16),
        _text("change"),
        _text("note"),
        sa.Column("zones", sa.Text),
        _text("undoes", 32),
        _text("state", 16),
        *(_number(name) for name in ("total", "parts", "done_parts", "changed", "unchanged", "overtaken", "missing")),
        _text("named"),
        _text("digest", 64),
        _text("problem"),
        _moment("created_at"),
        _moment("updated_at"),
        _moment("finished_at", nullable=True),
    )
    op.create_index("ix_alert_bulks_state", "alert_bulks", ["state", "updated_at"])
    op.create_index("ix_alert_bulks_owner", "alert_bulks", ["owner", "created_at"])
    op.create_table(
        "alert_bulk_parts",
        sa.Column("bulk_id", sa.String(32), sa.ForeignKey("alert_bulks.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        _text("items"),
    )
