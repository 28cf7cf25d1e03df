"""The index of incidents by deadline holds what the list is sorted by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_index("ix_incidents_due", "incidents")
    due = sa.text("coalesce(nullif(next_due, ''), '9999-12-31T23:59:59.999999Z')")
    op.create_index("ix_incidents_due", "incidents", [due, sa.text("id DESC")])
