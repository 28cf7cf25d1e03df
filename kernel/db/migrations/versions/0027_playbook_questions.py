"""Questions of playbook runs to people, and what came of them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _text(name: str, width: int = 0) -> sa.Column[Any]:
    return sa.Column(name, sa.String(width) if width else sa.Text, nullable=False)


def upgrade() -> None:
    op.create_table(
        "playbook_questions",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        sa.Column("run_id", _ID, sa.ForeignKey("playbook_runs.id", ondelete="CASCADE"), nullable=False),
        _text("call", 80),
        sa.Column("attempt", sa.Integer, nullable=False),
        _text("kind", 12),
        _text("title", 512),
        _text("line"),
        _text("request"),
        _text("digest", 64),
        _text("out_args"),
        _text("roles"),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("own", sa.Boolean, nullable=False),
        _text("why"),
        _text("touches"),
        _text("asked_at", 27),
        sa.Column("expires_at", sa.String(27)),
        sa.Column("closed_at", sa.String(27)),
        _text("outcome", 12),
        _text("answers"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_playbook_questions_run", "playbook_questions", ["run_id", "id"])
    op.create_index("ix_playbook_questions_open", "playbook_questions", ["closed_at", "id"])
