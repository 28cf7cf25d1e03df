"""Kinds of webhook targets, their settings and circuit breaker; indexes of the delivery log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in (
        sa.Column("kind", sa.String(16), nullable=False, server_default="standard"),
        sa.Column("settings", sa.Text, nullable=False, server_default="{}"),
        sa.Column("routing", sa.Text, nullable=False, server_default="{}"),
        sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
        sa.Column("ready_at", sa.String(27), nullable=False, server_default=""),
    ):
        op.add_column("webhook_targets", column)
    op.drop_index("ix_webhook_deliveries_due", "webhook_deliveries")
    op.create_index("ix_webhook_deliveries_due", "webhook_deliveries", ["target_id", "status", "due_at", "id"])
    op.create_index("ix_webhook_deliveries_log", "webhook_deliveries", ["target_id", "status", "id"])
    op.create_index("ix_webhook_deliveries_status", "webhook_deliveries", ["status", "id"])
