"""MLPS systems, their objects, and what people decided about applicability."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _text(name: str, width: int = 0) -> sa.Column[Any]:
    return sa.Column(name, sa.String(width) if width else sa.Text, nullable=False)


def _number(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer, nullable=False)


def _system() -> sa.Column[Any]:
    return sa.Column("system_id", _ID, sa.ForeignKey("mlps_systems.id", ondelete="CASCADE"), nullable=False)


def _changed() -> tuple[sa.Column[Any], ...]:
    return _text("created_by", 160), _text("created_at", 27), _text("updated_by", 160), _text("updated_at", 27), _number("version")


def upgrade() -> None:
    op.create_table(
        "mlps_systems",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        sa.Column("name", sa.String(128), nullable=False, unique=True),
        _text("organisation", 128),
        _text("description"),
        *(_number(name) for name in ("s", "a", "g", "level")),
        *(_text(name) for name in ("extensions", "zones", "people")),
        _text("state", 16),
        _text("filing_number", 64),
        _text("filing_date", 10),
        _text("filing_authority", 128),
        _text("filing_organisation", 128),
        *_changed(),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_mlps_systems_updated", "mlps_systems", ["updated_at", "id"])
    op.create_index("ix_mlps_systems_organisation", "mlps_systems", ["organisation", "updated_at", "id"])
    op.create_table(
        "mlps_objects",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        _system(),
        _text("kind", 32),
        _text("name", 256),
        _text("asset", 128),
        _number("importance"),
        _text("reason"),
        _text("note"),
        sa.Column("removed_at", sa.String(27), nullable=True),
        *_changed(),
        sa.UniqueConstraint("system_id", "kind", "name", name="uq_mlps_objects_name"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_mlps_objects_asset", "mlps_objects", ["asset", "id"])
    op.create_table(
        "mlps_applicability",
        sa.Column("system_id", _ID, sa.ForeignKey("mlps_systems.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("item", sa.String(24), primary_key=True),
        sa.Column("object_id", _ID, primary_key=True, autoincrement=False),
        sa.Column("applies", sa.Boolean, nullable=False),
        _text("reason"),
        _text("decided_by", 160),
        _text("decided_at", 27),
        _number("version"),
    )
