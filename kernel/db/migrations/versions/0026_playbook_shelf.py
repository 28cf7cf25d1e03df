"""The shelf of playbooks with their versions, the secrets that they name, and what starts them by itself."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _text(name: str, width: int = 0) -> sa.Column[Any]:
    return sa.Column(name, sa.String(width) if width else sa.Text, nullable=False)


def _texts(**widths: int) -> list[sa.Column[Any]]:
    """Columns of text by name; 0 = of any length."""
    return [_text(name, width) for name, width in widths.items()]


def _numbers(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.Integer, nullable=False) for name in names]


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
    op.create_table(
        "playbook_secrets",
        sa.Column("name", sa.String(128), primary_key=True),
        *_texts(sealed=0, updated_at=27, updated_by=160),
    )
    _triggers()


def _triggers() -> None:
    op.create_table(
        "playbook_triggers",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        _text("name", 128),
        sa.Column("playbook_id", sa.String(160), sa.ForeignKey("playbooks.playbook_id", ondelete="CASCADE"), nullable=False),
        *_texts(kind=16, condition=0, variables=0),
        *_numbers("throttle_seconds", "most_per_hour"),
        sa.Column("enabled", sa.Boolean, nullable=False),
        *_texts(author=160, enabled_by=160),
        sa.Column("mark", sa.BigInteger, nullable=False),
        *_texts(due_at=27, hour_start=27),
        *_numbers("hour_count"),
        *(sa.Column(name, sa.BigInteger, nullable=False) for name in ("started", "throttled", "limited", "looped", "failed")),
        _text("last_at", 27),
        sa.Column("last_run_id", _ID, nullable=True),
        *_texts(last_error=0, created_at=27, updated_at=27),
        *_numbers("revision"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_playbook_triggers_enabled", "playbook_triggers", ["enabled", "kind"])
    op.create_index("ix_playbook_triggers_playbook", "playbook_triggers", ["playbook_id", "id"])
    op.create_table(
        "playbook_firings",
        sa.Column(
            "trigger_id",
            _ID,
            sa.ForeignKey("playbook_triggers.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("entity", sa.String(600), primary_key=True),
        _text("playbook_id", 160),
        sa.Column("run_id", sa.BigInteger, nullable=False),
        _text("at", 27),
    )
    op.create_index("ix_playbook_firings_entity", "playbook_firings", ["playbook_id", "entity"])
    op.create_index("ix_playbook_firings_at", "playbook_firings", ["at"])
