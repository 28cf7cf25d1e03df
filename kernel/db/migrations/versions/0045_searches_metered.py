"""Searches of an organisation are metered."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("service_usage", sa.Column("searches", sa.Integer, nullable=False, server_default="0"))
