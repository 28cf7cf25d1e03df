"""The queue of alerts: saved views, suppressions, alerts that are merged."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _text(name: str, width: int = 0) -> sa.Column[Any]:
    return sa.Column(name, sa.String(width) if width else sa.Text, nullable=False)


def _number(name: str, kind: Any = sa.Integer) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def upgrade() -> None:
    op.add_column("alerts", sa.Column("suppressed_by", _ID, nullable=True))
    op.add_column("alerts", sa.Column("merged_into", _ID, nullable=True))
    for name, column in (("ix_alerts_suppressed", "suppressed_by"), ("ix_alerts_merged", "merged_into")):
        few = sa.text(f"{column} IS NOT NULL")
        op.create_index(name, "alerts", [column, "last_seen", "id"], sqlite_where=few, postgresql_where=few)
    # With the status in it this index serves "mine and open" as well as "mine".
    op.drop_index("ix_alerts_assignee_seen", "alerts")
    op.create_index("ix_alerts_assignee_status_seen", "alerts", ["assignee", "status", "last_seen", "id"])
    op.create_table(
        "alert_views",
        sa.Column("slug", sa.String(80), primary_key=True),
        _number("owner_id"),
        _text("owner", 64),
        _text("name", 60),
        _text("query"),
        _number("shared", sa.Boolean),
        _text("scope", 64),
        _text("created_at", 27),
        _text("updated_at", 27),
        _number("version"),
    )
    op.create_index("ix_alert_views_owner", "alert_views", ["owner_id", "name"])
    op.create_index("ix_alert_views_scope", "alert_views", ["scope", "shared", "name"])
    op.create_table(
        "alert_suppressions",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        _text("rule_id", 160),
        _text("rule_name", 512),
        _text("entities"),
        _text("reason"),
        _number("owner_id"),
        _text("owner", 64),
        _text("scope", 64),
        sa.Column("zones", sa.Text, nullable=True),
        _text("critical_ot", 16),
        _text("released_by", 160),
        _text("created_at", 27),
        _text("until", 27),
        _text("lifted_at", 27),
        _text("lifted_by", 160),
        _number("hits"),
        _text("last_hit_at", 27),
        _number("version"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_alert_suppressions_rule", "alert_suppressions", ["rule_id", "until"])
    op.create_index("ix_alert_suppressions_until", "alert_suppressions", ["until", "id"])
    op.create_index("ix_alert_suppressions_hits", "alert_suppressions", ["hits", "id"])
    op.create_index("ix_alert_suppressions_last", "alert_suppressions", ["last_hit_at", "id"])
