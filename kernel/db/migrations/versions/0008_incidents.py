"""Incidents with their tasks, timeline, indicators, assets, evidence, reports, reviews and reminders."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_MOMENT = sa.String(27)


def upgrade() -> None:
    _incidents()
    _work()
    _evidence()
    _after()


def _incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("number", sa.String(24), nullable=False),
        sa.Column("title", sa.String(256), nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("origin", sa.String(16), nullable=False),
        sa.Column("reporter", sa.String(256), nullable=False),
        sa.Column("drill", sa.Boolean, nullable=False),
        sa.Column("severity", sa.String(16), nullable=False),
        sa.Column("phase", sa.String(16), nullable=False),
        sa.Column("cause", sa.String(16), nullable=False),
        sa.Column("class_code", sa.String(4), nullable=False),
        sa.Column("level", sa.Integer, nullable=False),
        sa.Column("factors", sa.Text, nullable=False),
        sa.Column("decided_at", _MOMENT, nullable=False),
        sa.Column("decided_by", sa.String(160), nullable=False),
        sa.Column("decided_reason", sa.Text, nullable=False),
        sa.Column("suggested_class", sa.String(4), nullable=False),
        sa.Column("suggested_level", sa.Integer, nullable=False),
        sa.Column("suggestion", sa.Text, nullable=False),
        sa.Column("operator", sa.String(8), nullable=False),
        sa.Column("assignee", sa.String(64), nullable=False),
        sa.Column("occurred_at", _MOMENT, nullable=False),
        sa.Column("detected_at", _MOMENT, nullable=False),
        sa.Column("acknowledged_at", _MOMENT, nullable=False),
        sa.Column("contained_at", _MOMENT, nullable=False),
        sa.Column("resolved_at", _MOMENT, nullable=False),
        sa.Column("closed_at", _MOMENT, nullable=False),
        sa.Column("reported_at", _MOMENT, nullable=False),
        sa.Column("closing_reported_at", _MOMENT, nullable=False),
        sa.Column("pauses", sa.Text, nullable=False),
        sa.Column("next_due", _MOMENT, nullable=False),
        sa.Column("remind_at", _MOMENT, nullable=False),
        sa.Column("zones", sa.Text, nullable=False),
        sa.Column("organisations", sa.Text, nullable=False),
        sa.Column("merged_into", _ID, nullable=True),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("created_by", sa.String(160), nullable=False),
        sa.Column("updated_at", _MOMENT, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.UniqueConstraint("number"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_incidents_assignee", "incidents", ["assignee", "id"])
    op.create_index("ix_incidents_created", "incidents", ["created_at", "id"])
    op.create_index("ix_incidents_detected", "incidents", ["detected_at", "id"])
    op.create_index("ix_incidents_drill", "incidents", ["drill", "detected_at"])
    op.create_index("ix_incidents_due", "incidents", ["next_due", "id"])
    op.create_index("ix_incidents_level", "incidents", [sa.text("coalesce(nullif(level, 0), suggested_level)"), sa.text("id DESC")])
    op.create_index("ix_incidents_phase", "incidents", ["phase", "id"])
    op.create_index("ix_incidents_remind", "incidents", ["remind_at"])
    op.create_table(
        "incident_zones",
        sa.Column("zone", sa.String(64), primary_key=True),
        sa.Column(
            "incident_id",
            _ID,
            sa.ForeignKey("incidents.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
    )
    op.create_index("ix_incident_zones_incident", "incident_zones", ["incident_id"])
    op.create_table(
        "incident_alerts",
        sa.Column(
            "alert_id",
            _ID,
            sa.ForeignKey("alerts.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("incident_id", _ID, sa.ForeignKey("incidents.id", ondelete="CASCADE"), nullable=False),
        sa.Column("added_at", _MOMENT, nullable=False),
        sa.Column("added_by", sa.String(160), nullable=False),
    )
    op.create_index("ix_incident_alerts_incident", "incident_alerts", ["incident_id", "alert_id"])
    op.create_table(
        "incident_numbers",
        sa.Column("series", sa.String(32), primary_key=True),
        sa.Column("last", sa.Integer, nullable=False),
    )
    op.create_table(
        "incident_deadlines",
        sa.Column("key", sa.String(32), primary_key=True),
        sa.Column("minutes", sa.Integer, nullable=False),
        sa.Column("confirmed", sa.Boolean, nullable=False),
        sa.Column("changed_at", _MOMENT, nullable=False),
        sa.Column("changed_by", sa.String(160), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    )


def _work() -> None:
    op.create_table(
        "incident_tasks",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("incident_id", _ID, sa.ForeignKey("incidents.id", ondelete="CASCADE"), nullable=False),
        sa.Column("template", sa.String(64), nullable=False),
        sa.Column("title", sa.String(256), nullable=False),
        sa.Column("phase", sa.String(16), nullable=False),
        sa.Column("status", sa.String(8), nullable=False),
        sa.Column("assignee", sa.String(64), nullable=False),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.Column("result", sa.Text, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("created_by", sa.String(160), nullable=False),
        sa.Column("done_at", _MOMENT, nullable=False),
        sa.Column("done_by", sa.String(160), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_incident_tasks_incident", "incident_tasks", ["incident_id", "id"])
    op.create_table(
        "incident_timeline",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("incident_id", _ID, sa.ForeignKey("incidents.id", ondelete="CASCADE"), nullable=False),
        sa.Column("time", _MOMENT, nullable=False),
        sa.Column("recorded_at", _MOMENT, nullable=False),
        sa.Column("actor", sa.String(160), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("act", sa.String(32), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("alert_id", _ID, nullable=True),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_incident_timeline", "incident_timeline", ["incident_id", "time", "id"])
    op.create_table(
        "incident_indicators",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("incident_id", _ID, sa.ForeignKey("incidents.id", ondelete="CASCADE"), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("value", sa.String(512), nullable=False),
        sa.Column("source", sa.String(8), nullable=False),
        sa.Column("note", sa.String(512), nullable=False),
        sa.Column("added_at", _MOMENT, nullable=False),
        sa.Column("added_by", sa.String(160), nullable=False),
        sa.UniqueConstraint("incident_id", "kind", "value"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_incident_indicators_value", "incident_indicators", ["value"])
    op.create_table(
        "incident_assets",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("incident_id", _ID, sa.ForeignKey("incidents.id", ondelete="CASCADE"), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("name", sa.String(256), nullable=False),
        sa.Column("zone", sa.String(64), nullable=False),
        sa.Column("layer", sa.String(16), nullable=False),
        sa.Column("organisation", sa.String(128), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("impact", sa.String(1000), nullable=False),
        sa.Column("added_at", _MOMENT, nullable=False),
        sa.Column("added_by", sa.String(160), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.UniqueConstraint("incident_id", "kind", "name"),
        sqlite_autoincrement=True,
    )


def _evidence() -> None:
    op.create_table(
        "incident_evidence",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("incident_id", _ID, sa.ForeignKey("incidents.id", ondelete="CASCADE"), nullable=False),
        sa.Column("evidence", sa.String(32), nullable=False),
        sa.Column("name", sa.String(256), nullable=False),
        sa.Column("sm3", sa.String(64), nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("events", sa.Integer, nullable=False),
        sa.Column("left_out", sa.Integer, nullable=False),
        sa.Column("head", sa.String(64), nullable=False),
        sa.Column("zones", sa.Text, nullable=False),
        sa.Column("sealed_at", _MOMENT, nullable=False),
        sa.Column("sealed_by", sa.String(160), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("package", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("evidence"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_incident_evidence_incident", "incident_evidence", ["incident_id", "id"])
    op.create_table(
        "incident_evidence_keys",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("certificate", sa.Text, nullable=False),
        sa.Column("sealed", sa.Text, nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
    )


def _after() -> None:
    op.create_table(
        "incident_reports",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("incident_id", _ID, sa.ForeignKey("incidents.id", ondelete="CASCADE"), nullable=False),
        sa.Column("number", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("issued_at", _MOMENT, nullable=False),
        sa.Column("issued_by", sa.String(160), nullable=False),
        sa.Column("zones", sa.Text, nullable=False),
        sa.Column("docx_sm3", sa.String(64), nullable=False),
        sa.Column("pdf_sm3", sa.String(64), nullable=False),
        sa.Column("submitted_at", _MOMENT, nullable=False),
        sa.Column("submitted_to", sa.String(256), nullable=False),
        sa.Column("receipt", sa.String(256), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("docx", sa.LargeBinary, nullable=False),
        sa.Column("pdf", sa.LargeBinary, nullable=False),
        sa.UniqueConstraint("number"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_incident_reports_incident", "incident_reports", ["incident_id", "id"])
    op.create_table(
        "incident_reviews",
        sa.Column(
            "incident_id",
            _ID,
            sa.ForeignKey("incidents.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("root_cause", sa.Text, nullable=False),
        sa.Column("measures", sa.Text, nullable=False),
        sa.Column("harm", sa.Text, nullable=False),
        sa.Column("responsibility", sa.Text, nullable=False),
        sa.Column("lessons", sa.Text, nullable=False),
        sa.Column("changed_at", _MOMENT, nullable=False),
        sa.Column("changed_by", sa.String(160), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
    )
    op.create_table(
        "incident_actions",
        sa.Column("id", _ID, primary_key=True),
        sa.Column("incident_id", _ID, sa.ForeignKey("incidents.id", ondelete="CASCADE"), nullable=False),
        sa.Column("title", sa.String(256), nullable=False),
        sa.Column("owner", sa.String(128), nullable=False),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.Column("status", sa.String(8), nullable=False),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("created_by", sa.String(160), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_incident_actions_incident", "incident_actions", ["incident_id", "id"])
    op.create_table(
        "incident_reminders",
        sa.Column(
            "incident_id",
            _ID,
            sa.ForeignKey("incidents.id", ondelete="CASCADE"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("clock", sa.String(24), primary_key=True),
        sa.Column("due", _MOMENT, primary_key=True),
        sa.Column("kind", sa.String(8), primary_key=True),
        sa.Column("sent_at", _MOMENT, nullable=False),
    )
