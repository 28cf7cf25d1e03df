"""Duty: roster, hand-over, log, escalation. Metering of services per organisation and day."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_MOMENT = sa.String(27)
_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _text(name: str, width: int = 0) -> sa.Column[Any]:
    return sa.Column(name, sa.String(width) if width else sa.Text, nullable=False)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, _MOMENT, nullable=nullable)


def _number(name: str) -> sa.Column[Any]:
    return sa.Column(name, sa.Integer, nullable=False)


def upgrade() -> None:
    _duty()
    _metering()


def _duty() -> None:
    state = op.create_table("duty_state", sa.Column("id", sa.Integer, primary_key=True, autoincrement=False), _number("revision"))
    op.bulk_insert(state, [{"id": 1, "revision": 1}])
    op.create_table(
        "duty_shifts",
        sa.Column("id", sa.String(32), primary_key=True),
        _text("name", 64),
        _text("name_en", 64),
        _number("start"),
        _number("length"),
    )
    op.create_table(
        "duty_roster",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        _text("day", 10),
        _text("shift", 32),
        _number("rank"),
        _text("name", 64),
        _moment("start_at"),
        _moment("end_at"),
        _text("planned_by", 160),
        sa.UniqueConstraint("day", "shift", "rank", name="uq_duty_roster_rank"),
        sa.UniqueConstraint("day", "shift", "name", name="uq_duty_roster_name"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_duty_roster_time", "duty_roster", ["start_at", "end_at"])
    op.create_index("ix_duty_roster_name", "duty_roster", ["name", "start_at"])
    op.create_table(
        "duty_handovers",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        _text("day", 10),
        _text("shift", 32),
        _text("note"),
        _text("counts"),
        _text("written_by", 64),
        _moment("written_at"),
        sa.Column("accepted_by", sa.String(64)),
        _moment("accepted_at", nullable=True),
        _text("remark"),
        _text("accepted_counts"),
        _number("version"),
        sa.UniqueConstraint("day", "shift", name="uq_duty_handovers_shift"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "duty_log",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        _moment("time"),
        _text("actor", 160),
        _text("kind", 16),
        _text("text"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "duty_escalations",
        sa.Column("id", _ID, primary_key=True, autoincrement=True),
        _text("kind", 16),
        _text("object_id", 128),
        _text("reason"),
        _number("step"),
        _text("from_name", 160),
        _text("to_name", 64),
        _moment("time"),
        sa.Column("acknowledged_by", sa.String(160)),
        _moment("acknowledged_at", nullable=True),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_duty_escalations_object", "duty_escalations", ["kind", "object_id", "id"])
    op.create_index("ix_duty_escalations_open", "duty_escalations", ["acknowledged_at", "id"])


def _metering() -> None:
    op.create_table(
        "service_usage",
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("bureau", sa.String(128), primary_key=True),
        sa.Column("events", sa.BigInteger, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        _number("permits"),
        _number("certificates"),
        _moment("metered_at"),
    )
    op.create_index("ix_service_usage_bureau", "service_usage", ["bureau", "day"])
