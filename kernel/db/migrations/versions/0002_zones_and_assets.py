"""Zones, conduits and assets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_MOMENT = sa.String(27)


def upgrade() -> None:
    _plan()
    _assets()


def _changes() -> list[sa.Column[object]]:
    return [
        sa.Column("changed_at", _MOMENT, nullable=False),
        sa.Column("changed_by", sa.String(160), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    ]


def _plan() -> None:
    op.create_table(
        "zones",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("name_en", sa.String(128), nullable=False),
        sa.Column("layer", sa.String(16), nullable=False),
        sa.Column("owner", sa.String(128), nullable=False),
        sa.Column("importance", sa.Integer, nullable=False),
        sa.Column("ranges", sa.Text, nullable=False),
        sa.Column("vlans", sa.Text, nullable=False),
        sa.Column("sensors", sa.Text, nullable=False),
        sa.Column("internet", sa.String(16), nullable=False),
        sa.Column("admission", sa.String(16), nullable=False),
        *_changes(),
    )
    op.create_table(
        "conduits",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("sources", sa.Text, nullable=False),
        sa.Column("targets", sa.Text, nullable=False),
        sa.Column("services", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("since", _MOMENT, nullable=False),
        sa.Column("until", _MOMENT, nullable=False),
        sa.Column("approver", sa.String(128), nullable=False),
        *_changes(),
    )
    op.create_table(
        "plan_revision",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("inventory", sa.Integer, nullable=False),
    )


def _assets() -> None:
    op.create_table(
        "assets",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("key", sa.String(128), nullable=False),
        sa.Column("name", sa.String(256), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("zone", sa.String(64), nullable=False),
        sa.Column("bureau", sa.String(128), nullable=False),
        sa.Column("importance", sa.Integer, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("addresses", "macs", "names", "services", "text", "note")),
        sa.Column("first_seen", _MOMENT, nullable=False),
        sa.Column("last_seen", _MOMENT, nullable=False),
        *_changes(),
        sa.UniqueConstraint("key"),
    )
    op.create_index("ix_assets_seen", "assets", ["last_seen", "id"])
    op.create_index("ix_assets_status", "assets", ["status", "last_seen", "id"])
    op.create_index("ix_assets_zone", "assets", ["zone", "last_seen", "id"])
    op.create_table(
        "asset_marks",
        sa.Column("kind", sa.String(8), primary_key=True),
        sa.Column("value", sa.String(256), primary_key=True),
        sa.Column("asset_id", _ID, sa.ForeignKey("assets.id", ondelete="CASCADE"), nullable=False, index=True),
    )


def downgrade() -> None:
    for table in ("asset_marks", "assets", "plan_revision", "conduits", "zones"):
        op.drop_table(table)
