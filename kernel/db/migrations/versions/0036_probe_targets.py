"""Targets of daily probes, and the sealed evidence of their runs."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _text(name: str, width: int = 0) -> sa.Column[Any]:
    return sa.Column(name, sa.String(width) if width else sa.Text, nullable=False)


def _own() -> sa.Column[Any]:
    return sa.Column("id", _ID, primary_key=True, autoincrement=True)


def _system() -> sa.Column[Any]:
    return sa.Column("system_id", _ID, sa.ForeignKey("mlps_systems.id", ondelete="CASCADE"), nullable=False)


def upgrade() -> None:
    op.create_table(
        "compliance_probe_targets",
        _own(),
        _system(),
        sa.Column("object_id", _ID, nullable=False),
        _text("way", 16),
        _text("place", 300),
        _text("login", 64),
        _text("secret", 128),
        sa.Column("enabled", sa.Boolean, nullable=False),
        _text("next_at", 27),
        _text("run_at", 27),
        _text("read_at", 27),
        _text("error"),
        _text("evidence", 64),
        _text("created_by", 160),
        _text("created_at", 27),
        sa.UniqueConstraint("system_id", "object_id", "way", "place", "secret", name="uq_compliance_probe_targets"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_compliance_probe_targets_next", "compliance_probe_targets", ["enabled", "next_at", "id"])
    op.create_table(
        "compliance_probe_runs",
        _own(),
        _system(),
        sa.Column("object_id", _ID, nullable=False),
        _text("way", 16),
        _text("place", 300),
        _text("at", 27),
        _text("sm3", 64),
        sa.Column("size", sa.Integer, nullable=False),
        _text("head", 64),
        sa.Column("package", sa.LargeBinary, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_compliance_probe_runs_sm3", "compliance_probe_runs", ["sm3"])
    op.create_index("ix_compliance_probe_runs_system", "compliance_probe_runs", ["system_id", "id"])
    op.create_index("ix_compliance_probe_runs_at", "compliance_probe_runs", ["at", "id"])
