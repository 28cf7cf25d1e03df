"""Numbers of alerts by the zones that they name together (operations.alerts.zone_counts), filled from the alerts that there are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

# The zones of an alert in order, as a JSON list.
_NAMED = {
    "sqlite": "SELECT alert_id, json_group_array(value) AS zones FROM"
    " (SELECT alert_id, value FROM alert_entities WHERE kind = 'zone' ORDER BY alert_id, value) GROUP BY alert_id",
    "postgresql": "SELECT alert_id, '[' || string_agg(to_json(value)::text, ',' ORDER BY value COLLATE \"C\") || ']' AS zones"
    " FROM alert_entities WHERE kind = 'zone' GROUP BY alert_id",
}


def upgrade() -> None:
    counts = op.create_table(
        "alert_zone_counts",
        sa.Column("dimension", sa.String(16), primary_key=True),
        sa.Column("value", sa.String(64), primary_key=True),
        sa.Column("status", sa.String(16), primary_key=True),
        sa.Column("level", sa.String(16), primary_key=True),
        sa.Column("zones", sa.Text, primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
    )
    named = sa.text(_NAMED[op.get_bind().dialect.name]).columns(sa.column("alert_id"), sa.column("zones")).subquery()
    alerts = sa.table("alerts", sa.column("id"), sa.column("status"), sa.column("level"), sa.column("assignee"))
    value = sa.func.coalesce(alerts.c.assignee, "-").label("value")
    key = (value, alerts.c.status, alerts.c.level, named.c.zones)
    found = sa.select(sa.literal("assignee"), *key, sa.func.count())
    found = found.select_from(named).join(alerts, alerts.c.id == named.c.alert_id).group_by(sa.text("2, 3, 4, 5"))
    op.execute(counts.insert().from_select(["dimension", "value", "status", "level", "zones", "count"], found))
    key_of_all = (counts.c.status, counts.c.level, counts.c.zones)
    every = sa.select(sa.literal("all"), sa.literal(""), *key_of_all, sa.func.sum(counts.c.count)).group_by(*key_of_all)
    op.execute(counts.insert().from_select(["dimension", "value", "status", "level", "zones", "count"], every))
