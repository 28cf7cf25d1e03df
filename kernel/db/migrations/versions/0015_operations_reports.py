"""Operations reports, their runs and schedules; indexes by which tickets, applications and warnings of a period are counted."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_MOMENT = sa.String(27)
_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _text(name: str, width: int = 0) -> sa.Column[Any]:
    return sa.Column(name, sa.String(width) if width else sa.Text, nullable=False)


def _key(name: str, width: int) -> sa.Column[Any]:
    return sa.Column(name, sa.String(width), primary_key=True)


def upgrade() -> None:
    op.create_table(
        "operations_reports",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        _text("kind", 8),
        _text("first_day", 10),
        _text("organisation", 128),
        _text("language", 2),
        _text("origin", 8),
        _text("issued_at", 27),
        _text("issued_by", 160),
        _text("manifest"),
        _text("signature"),
        _text("certificate"),
        _text("data"),
        *(sa.Column(name, sa.LargeBinary, nullable=False) for name in ("pdf", "docx", "xlsx")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_operations_reports_organisation", "operations_reports", ["organisation", "id"])
    op.create_index("ix_operations_reports_kind", "operations_reports", ["kind", "id"])
    op.create_index("ix_operations_reports_issued", "operations_reports", ["issued_at"])
    op.create_table(
        "operations_report_runs",
        _key("kind", 8),
        _key("first_day", 10),
        _key("organisation", 128),
        sa.Column("report_id", _ID, nullable=False),
    )
    schedules = op.create_table(
        "operations_report_schedules",
        _key("kind", 8),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("minute", sa.Integer, nullable=False),
        sa.Column("each_organisation", sa.Boolean, nullable=False),
        _text("language", 2),
        _text("changed_at", 27),
        _text("changed_by", 160),
        sa.Column("version", sa.Integer, nullable=False),
    )
    given = {"enabled": True, "minute": 480, "each_organisation": False, "language": "zh"}
    unchanged = {"changed_at": "", "changed_by": "", "version": 1}
    op.bulk_insert(schedules, [{"kind": kind, **given, **unchanged} for kind in ("daily", "weekly", "monthly")])
    op.create_index("ix_warnings_published", "warnings", ["published_at"])
    op.create_index("ix_warning_receipts_sent", "warning_receipts", ["sent_at"])
    op.create_index("ix_tickets_created", "tickets", ["created_at"])
    op.create_index("ix_service_applications_applied", "service_applications", ["applied_at"])
