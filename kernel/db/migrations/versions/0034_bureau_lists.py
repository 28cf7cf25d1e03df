"""Indexes with which applications and tickets of a bureau are counted by state."""

from __future__ import annotations

from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_service_applications_bureau_state", "service_applications", ["bureau", "state"])
    op.create_index("ix_tickets_issuer_state", "tickets", ["issuer", "bureau", "state"])
