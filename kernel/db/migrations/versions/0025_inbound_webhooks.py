"""Inbound webhooks: who may raise alerts, their counters, and ids of messages that were taken."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _text(name: str, width: int = 0) -> sa.Column[Any]:
    return sa.Column(name, sa.String(width) if width else sa.Text, nullable=False)


def _of_source(*, primary: bool) -> sa.Column[Any]:
    key = sa.ForeignKey("inbound_sources.id", ondelete="CASCADE")
    return sa.Column("source_id", _ID, key, primary_key=primary, autoincrement=False, nullable=False)


def upgrade() -> None:
    op.create_table(
        "inbound_sources",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        sa.Column("public_id", sa.String(40), nullable=False, unique=True),
        _text("name", 128),
        _text("sealed_secret"),
        _text("sealed_previous"),
        _text("previous_until", 27),
        _text("organisation", 128),
        _text("zone", 64),
        _text("max_level", 16),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("rate", sa.Integer, nullable=False),
        sa.Column("allowance", sa.Double, nullable=False),
        _text("allowance_at", 27),
        _text("created_at", 27),
        _text("created_by", 160),
        sa.Column("version", sa.Integer, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "inbound_counts",
        _of_source(primary=True),
        sa.Column("outcome", sa.String(16), primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False),
        _text("last_at", 27),
    )
    op.create_table(
        "inbound_messages",
        _of_source(primary=True),
        sa.Column("message_id", sa.String(256), primary_key=True),
        _text("seen_at", 27),
    )
    op.create_index("ix_inbound_messages_seen", "inbound_messages", ["seen_at"])
