"""What lists go by: the newest incidents of a zone, indexes that hold what is filtered by; on PostgreSQL, titles beside the ids.

Words of less than three signs stand in no index of trigrams: every title is read for them, there from an index that has a fifth
of the size of its table.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

_TITLES = (
    "CREATE INDEX IF NOT EXISTS ix_incidents_titles ON incidents (id) INCLUDE (number, title)",
    "CREATE INDEX IF NOT EXISTS ix_tickets_titles ON tickets (id) INCLUDE (title)",
)


_FILTERED = ("created_at", "id", "phase", "level", "severity", "class_code", "assignee", "drill")


def upgrade() -> None:
    op.add_column("incident_zones", sa.Column("created_at", sa.String(27), nullable=False, server_default=""))
    op.execute(
        "UPDATE incident_zones SET created_at ="
        " (SELECT incidents.created_at FROM incidents WHERE incidents.id = incident_zones.incident_id)"
    )
    op.create_index("ix_incident_zones_newest", "incident_zones", ["zone", "created_at", "incident_id"])
    op.drop_index("ix_incidents_created", "incidents")
    op.create_index("ix_incidents_created", "incidents", _FILTERED)
    op.drop_index("ix_incidents_assignee", "incidents")
    op.create_index("ix_incidents_assignee", "incidents", ["assignee", "phase", "created_at", "id"])
    op.create_index("ix_tickets_kind", "tickets", ["kind", "level", "state"])
    op.create_index("ix_service_applications_applicant", "service_applications", ["applicant", "updated_at", "id"])
    op.drop_index("ix_tickets_state_due", "tickets")
    due = sa.text("coalesce(due_at, '9999-12-31T23:59:59.999999Z')")
    op.create_index("ix_tickets_state_due", "tickets", ["state", due, "id"])
    waiting = sa.text("state IN ('applied', 'accepted', 'to_confirm')")
    op.create_index(
        "ix_service_applications_open",
        "service_applications",
        ["updated_at", "id"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    if op.get_bind().dialect.name == "postgresql":
        for statement in _TITLES:
            op.execute(statement)
