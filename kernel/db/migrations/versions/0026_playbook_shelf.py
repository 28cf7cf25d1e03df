"""The shelf of playbooks with their versions."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def _text(name: str, width: int = 0) -> sa.Column[Any]:
    return sa.Column(name, sa.String(width) if width else sa.Text, nullable=False)


def _texts(**widths: int) -> list[sa.Column[Any]]:
    """Columns of text by name; 0 = of any length."""
    return [_text(name, width) for name, width in widths.items()]


def upgrade() -> None:
    op.create_table(
        "playbooks",
        sa.Column("playbook_id", sa.String(160), primary_key=True),
        *_texts(name=512, names=0, labels=0, origin=16),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("released", sa.Integer, nullable=True),
        sa.Column("newest", sa.Integer, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        *_texts(created_at=27, created_by=160, updated_at=27, updated_by=160),
    )
    op.create_index("ix_playbooks_name", "playbooks", ["name", "playbook_id"])
    op.create_table(
        "playbook_versions",
        sa.Column("playbook_id", sa.String(160), sa.ForeignKey("playbooks.playbook_id", ondelete="CASCADE"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("digest", sa.String(64), sa.ForeignKey("playbook_documents.digest"), nullable=False),
        *_texts(modified=40, origin=16),
        sa.Column("runnable", sa.Boolean, nullable=False),
        *_texts(problems=0, calls=0, note=0, created_at=27, created_by=160, released_at=27, released_by=160),
    )
    op.create_index("ix_playbook_versions_digest", "playbook_versions", ["digest"])
