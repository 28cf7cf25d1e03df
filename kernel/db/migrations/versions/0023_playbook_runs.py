"""Playbooks as they were run, their runs, the journal of runs, and messages of people to them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _text(name: str, width: int = 0, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.String(width) if width else sa.Text, nullable=nullable)


def _id() -> sa.Column[Any]:
    return sa.Column("id", _ID, primary_key=True, autoincrement=True)


def _of_run() -> sa.Column[Any]:
    return sa.Column("run_id", _ID, sa.ForeignKey("playbook_runs.id", ondelete="CASCADE"), nullable=False)


def upgrade() -> None:
    op.create_table(
        "playbook_documents",
        sa.Column("digest", sa.String(64), primary_key=True),
        *(_text(name, width) for name, width in (("playbook_id", 160), ("modified", 40), ("body", 0), ("created_at", 27))),
    )
    op.create_table(
        "playbook_runs",
        _id(),
        _text("playbook_id", 160),
        _text("playbook_name", 512),
        sa.Column("digest", sa.String(64), sa.ForeignKey("playbook_documents.digest"), nullable=False),
        _text("called"),
        _text("variables"),
        sa.Column("organisation_id", sa.BigInteger, nullable=True),
        _text("state", 16),
        _text("reason"),
        _text("cause"),
        sa.Column("request_key", sa.String(128), nullable=True, unique=True),
        _text("created_at", 27),
        _text("created_by", 160),
        *(_text(name, 27, nullable=True) for name in ("started_at", "ended_at")),
        _text("lease_owner", 64),
        _text("lease_until", 27),
        _text("wake_at", 27, nullable=True),
        sa.Column("events", sa.Integer, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_playbook_runs_state", "playbook_runs", ["state", "id"])
    op.create_index("ix_playbook_runs_lease", "playbook_runs", ["lease_until"])
    op.create_index("ix_playbook_runs_wake", "playbook_runs", ["wake_at"])
    op.create_index("ix_playbook_runs_playbook", "playbook_runs", ["playbook_id", "id"])
    op.create_table(
        "playbook_events",
        _id(),
        _of_run(),
        sa.Column("number", sa.Integer, nullable=False),
        _text("event"),
        _text("trace"),
    )
    op.create_index("uq_playbook_events", "playbook_events", ["run_id", "number"], unique=True)
    op.create_table(
        "playbook_messages",
        _id(),
        _of_run(),
        _text("body"),
        _text("created_at", 27),
        _text("created_by", 160),
        _text("taken_at", 27, nullable=True),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_playbook_messages_taken", "playbook_messages", ["taken_at", "id"])
    op.create_index("ix_playbook_messages_run", "playbook_messages", ["run_id", "id"])
