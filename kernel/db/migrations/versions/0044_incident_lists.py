"""What lists of incidents and tickets go by: the newest incidents of a zone; on PostgreSQL, titles beside the ids.

Words of less than three signs stand in no index of trigrams: every title is read for them, there from an index that has a fifth
of the size of its table.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0042"
branch_labels = None
depends_on = None

_TITLES = (
    "CREATE INDEX IF NOT EXISTS ix_incidents_titles ON incidents (id) INCLUDE (number, title)",
    "CREATE INDEX IF NOT EXISTS ix_tickets_titles ON tickets (id) INCLUDE (title)",
)


def upgrade() -> None:
    op.add_column("incident_zones", sa.Column("created_at", sa.String(27), nullable=False, server_default=""))
    op.execute(
        "UPDATE incident_zones SET created_at ="
        " (SELECT incidents.created_at FROM incidents WHERE incidents.id = incident_zones.incident_id)"
    )
    op.create_index("ix_incident_zones_newest", "incident_zones", ["zone", "created_at", "incident_id"])
    if op.get_bind().dialect.name == "postgresql":
        for statement in _TITLES:
            op.execute(statement)
