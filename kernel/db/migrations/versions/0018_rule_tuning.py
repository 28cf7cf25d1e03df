"""Rule tuning: exceptions and switched-off rules, alerts per rule and day, when an alert was closed.

Alerts that are closed already get the moment of their last change as that of their closing; their counts are made from the table.
"""

from __future__ import annotations

import math
from collections import Counter
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_JUDGED: dict[str, Any] = {f"{dialect}_where": sa.text("verdict IS NOT NULL") for dialect in ("sqlite", "postgresql")}


def _text(name: str, width: int = 0) -> sa.Column[Any]:
    return sa.Column(name, sa.String(width) if width else sa.Text, nullable=False)


def _key(name: str, kind: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, primary_key=True, autoincrement=False)


def upgrade() -> None:
    op.add_column("alerts", sa.Column("closed_at", sa.String(27)))
    op.execute("UPDATE alerts SET closed_at = updated_at WHERE status = 'closed'")
    op.create_index("ix_alerts_rule_verdict", "alerts", ["rule_id", "verdict", "last_seen", "id"], **_JUDGED)
    days = op.create_table(
        "rule_days",
        _key("rule_id", sa.String(160)),
        _key("outcome", sa.String(16)),
        _key("day", sa.String(10)),
        sa.Column("alerts", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    closings = op.create_table(
        "rule_closings",
        _key("rule_id", sa.String(160)),
        _key("day", sa.String(10)),
        _key("step", sa.Integer),
        sa.Column("alerts", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "rule_measures",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        *(_text(*column) for column in (("kind", 16), ("state", 16), ("rule_id", 160), ("rule_name", 512), ("level", 16))),
        _text("conditions"),
        _text("reason"),
        _text("owner", 64),
        sa.Column("expires_at", sa.String(27)),
        sa.Column("source_alert", sa.BigInteger),
        sa.Column("proposer_id", sa.Integer, nullable=False),
        _text("proposed_by", 160),
        _text("proposed_at", 27),
        _text("decided_by", 160),
        sa.Column("decided_at", sa.String(27)),
        _text("decision"),
        sa.Column("true_positives", sa.Integer),
        _text("ended_by", 160),
        sa.Column("ended_at", sa.String(27)),
        _text("ending"),
        sa.Column("version", sa.Integer, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_rule_measures_state", "rule_measures", ["state", "id"])
    op.create_index("ix_rule_measures_rule", "rule_measures", ["rule_id", "id"])
    _count(days, closings)


def _count(days: sa.Table, closings: sa.Table) -> None:
    """As operations.alerts.rule_days counts; a migration stands on its own."""
    by_day: Counter[tuple[str, str, str]] = Counter()
    by_step: Counter[tuple[str, str, int]] = Counter()
    # An option of the statement: one of the connection would outlive it, and PostgreSQL takes no UPDATE through a cursor.
    query = sa.text("SELECT rule_id, created_at, verdict, closed_at FROM alerts").execution_options(yield_per=10_000)
    rows = op.get_bind().execute(query)
    for rule, created_at, verdict, closed_at in rows:
        by_day[rule, verdict or "open", created_at[:10]] += 1
        if closed_at:
            seconds = (datetime.fromisoformat(closed_at) - datetime.fromisoformat(created_at)).total_seconds()
            by_step[rule, created_at[:10], min(60, round(2 * math.log2(max(1.0, seconds))))] += 1
    if by_day:
        op.bulk_insert(days, [{"day": d, "rule_id": r, "outcome": o, "alerts": n} for (r, o, d), n in by_day.items()])
    if by_step:
        op.bulk_insert(closings, [{"rule_id": r, "day": d, "step": s, "alerts": n} for (r, d, s), n in by_step.items()])
