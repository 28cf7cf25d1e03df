"""Hosts that a secret of playbooks may be sent to; a secret that was there before is for none."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("playbook_secrets", sa.Column("hosts", sa.Text, nullable=False, server_default="[]"))
