"""How PostgreSQL finds the alerts of some zones; SQLite needs none of it.

The statistics: that a value stands with one kind only. Without them it takes the alerts of a zone for five times fewer than there
are, and now and then reads all of them for a page. The index: what the condition of a scope looks up for each alert.
"""

from __future__ import annotations

from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

_STATEMENTS = (
    "CREATE STATISTICS IF NOT EXISTS st_alert_entities (dependencies, mcv) ON kind, value FROM alert_entities",
    "CREATE INDEX IF NOT EXISTS ix_alert_entities_zone ON alert_entities (alert_id, value) WHERE kind = 'zone'",
    "ANALYZE alert_entities",
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for statement in _STATEMENTS:
            op.execute(statement)
