"""Tickets by whose turn it is (the menu counts them on every page), incidents of some phases by age (the list)."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_tickets_waiting", "tickets", ["waiting_for", "state"])
    op.drop_index("ix_incidents_phase", "incidents")
    op.create_index("ix_incidents_phase", "incidents", ["phase", "created_at", "id"])
