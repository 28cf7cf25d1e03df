"""Targets of daily probes: files, authorities of endpoints, and the version that a change is decided on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0040"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    op.add_column("compliance_probe_targets", sa.Column("host", sa.String(300), nullable=False, server_default=""))
    op.add_column("compliance_probe_targets", sa.Column("ca", sa.Text, nullable=False, server_default=""))
    op.add_column("compliance_probe_targets", sa.Column("version", sa.Integer, nullable=False, server_default="1"))
    op.create_table(
        "compliance_probe_files",
        sa.Column(
            "target_id",
            _ID,
            sa.ForeignKey("compliance_probe_targets.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("at", sa.String(27), nullable=False),
        sa.Column("brought_by", sa.String(160), nullable=False),
        sa.Column("sm3", sa.String(64), nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("head", sa.String(64), nullable=False),
        sa.Column("package", sa.LargeBinary, nullable=False),
    )
