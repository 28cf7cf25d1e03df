"""Runs of playbooks by what they were started for: the page of an alert lists its own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_PART = {"sqlite": "json_extract(cause, '$.{}')", "postgresql": "(cause::json ->> '{}')"}


def upgrade() -> None:
    op.add_column("playbook_runs", sa.Column("subject", sa.String(160)))
    part = _PART[op.get_bind().dialect.name]
    kind, number = part.format("kind"), part.format("id")
    fitting = f"{kind} IN ('alert', 'incident', 'warning', 'asset') AND length(CAST({number} AS TEXT)) BETWEEN 1 AND 128"
    op.execute(f"UPDATE playbook_runs SET subject = {kind} || ':' || {number} WHERE {fitting}")  # noqa: S608 (nothing from outside)
    op.create_index("ix_playbook_runs_subject", "playbook_runs", ["subject", "id"])
