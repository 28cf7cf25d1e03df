"""Saved and scheduled searches."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _text(name: str, width: int = 0) -> sa.Column[Any]:
    return sa.Column(name, sa.String(width) if width else sa.Text, nullable=False)


def _number(name: str, kind: Any = sa.Integer) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def upgrade() -> None:
    op.create_table(
        "saved_searches",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        _number("owner_id"),
        _text("owner", 64),
        _text("name", 60),
        _text("query"),
        _text("span", 8),
        _text("columns"),
        _number("shared", sa.Boolean),
        _text("scope", 64),
        _number("every"),
        _number("threshold"),
        _text("level", 16),
        _number("settle"),
        _text("done_until", 27),
        sa.Column("next_due", sa.String(27), nullable=True),
        _number("failures"),
        _text("stopped"),
        _text("created_at", 27),
        _text("updated_at", 27),
        _number("version"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_saved_searches_owner", "saved_searches", ["owner_id", "name"])
    op.create_index("ix_saved_searches_scope", "saved_searches", ["scope", "shared", "name"])
    op.create_index("ix_saved_searches_due", "saved_searches", ["next_due"])
    op.create_table(
        "search_runs",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        sa.Column("search_id", _ID, sa.ForeignKey("saved_searches.id", ondelete="CASCADE"), nullable=False),
        _text("start", 27),
        _text("end_at", 27),
        _number("hits"),
        _number("milliseconds"),
        _text("error"),
        sa.Column("alert_id", _ID, nullable=True),
        _text("at", 27),
    )
    op.create_index("ix_search_runs_search", "search_runs", ["search_id", "id"])
