"""Answers of interviews and looks on site that were taken, so that one that is sent twice counts once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.create_table(
        "compliance_answers",
        sa.Column("system_id", _ID, sa.ForeignKey("mlps_systems.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("judged_by", sa.String(160), nullable=False),
        sa.Column("item", sa.String(24), nullable=False),
        sa.Column("object_id", _ID, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("taken_at", sa.String(27), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("compliance_answers")
