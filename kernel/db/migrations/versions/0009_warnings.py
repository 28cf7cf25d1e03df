"""Early warnings: texts, editions with their receipts, reminders, history, numbers, settings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_MOMENT = sa.String(27)
_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _warning(*, key: bool = True) -> sa.Column[int]:
    return sa.Column("warning_id", _ID, sa.ForeignKey("warnings.id", ondelete="CASCADE"), primary_key=key, nullable=False)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def upgrade() -> None:
    op.create_table(
        "warnings",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("level", sa.String(8), nullable=False),
        sa.Column("importance", sa.String(16), nullable=False),
        sa.Column("harm", sa.String(16), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        *(_text(name) for name in ("nature", "threat", "extent", "objects", "effect", "measures", "organisations", "zones")),
        sa.Column("edition", sa.Integer, nullable=False),
        sa.Column("year", sa.Integer),
        sa.Column("number", sa.Integer),
        sa.Column("author", sa.String(160), nullable=False),
        _text("contributors"),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("source_alert", sa.BigInteger),
        _text("reasons"),
        sa.Column("pattern", sa.String(200)),
        sa.Column("pattern_key", sa.String(220), unique=True),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.Column("approved_by", sa.String(160), nullable=False),
        sa.Column("approved_at", _MOMENT),
        sa.Column("published_at", _MOMENT),
        sa.Column("closed_at", _MOMENT),
        sa.Column("version", sa.Integer, nullable=False),
        sa.UniqueConstraint("year", "number", name="uq_warnings_number"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_warnings_status", "warnings", ["status", "id"])
    op.create_index("ix_warnings_level", "warnings", ["level", "id"])
    op.create_index("ix_warnings_pattern", "warnings", ["pattern", "id"])
    op.create_table(
        "warning_receipts",
        _warning(),
        sa.Column("edition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("organisation", sa.String(128), primary_key=True),
        sa.Column("sent_at", _MOMENT, nullable=False),
        sa.Column("receipt_due", _MOMENT, nullable=False),
        sa.Column("feedback_due", _MOMENT, nullable=False),
        sa.Column("received_at", _MOMENT),
        sa.Column("received_by", sa.String(160), nullable=False),
        _text("comment"),
        sa.Column("feedback_at", _MOMENT),
        sa.Column("feedback_by", sa.String(160), nullable=False),
        _text("feedback"),
    )
    op.create_index("ix_warning_receipts_organisation", "warning_receipts", ["organisation", "received_at", "warning_id"])
    op.create_index("ix_warning_receipts_receipt", "warning_receipts", ["received_at", "receipt_due"])
    op.create_index("ix_warning_receipts_feedback", "warning_receipts", ["feedback_at", "feedback_due"])
    op.create_table("warning_zones", sa.Column("zone", sa.String(64), primary_key=True), _warning())
    op.create_index("ix_warning_zones_warning", "warning_zones", ["warning_id"])
    op.create_table(
        "warning_reminders",
        _warning(),
        sa.Column("edition", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("organisation", sa.String(128), primary_key=True),
        sa.Column("step", sa.String(16), primary_key=True),
        sa.Column("time", _MOMENT, nullable=False),
    )
    op.create_table(
        "warning_history",
        sa.Column("id", _ID, primary_key=True),
        _warning(key=False),
        sa.Column("time", _MOMENT, nullable=False),
        sa.Column("actor", sa.String(160), nullable=False),
        sa.Column("act", sa.String(16), nullable=False),
        sa.Column("edition", sa.Integer, nullable=False),
        sa.Column("organisation", sa.String(128), nullable=False),
        sa.Column("inner", sa.Boolean, nullable=False),
        *(_text(name) for name in ("before", "after", "note")),
    )
    op.create_index("ix_warning_history_warning", "warning_history", ["warning_id", "id"])
    op.create_table(
        "warning_numbers",
        sa.Column("year", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("last", sa.Integer, nullable=False),
    )
    op.create_table(
        "warning_settings",
        sa.Column("name", sa.String(16), primary_key=True),
        _text("value"),
        sa.Column("source", sa.String(512), nullable=False),
        sa.Column("to_be_confirmed", sa.Boolean, nullable=False),
        sa.Column("changed_at", _MOMENT, nullable=False),
        sa.Column("changed_by", sa.String(160), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    )
