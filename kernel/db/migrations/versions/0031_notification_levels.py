"""What a message counts as stands beside it: a rehearsal of routing asks again who would have had it. Runs by day have an index."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("webhook_deliveries", sa.Column("level", sa.String(16), nullable=False, server_default=""))
    op.create_index("ix_playbook_runs_created", "playbook_runs", ["created_at", "state"])
