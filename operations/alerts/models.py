"""Tables of alerts.

Lists read ``alerts`` alone: everything a row shows stands in it, everything big (event, matched fields, description) in
``alert_samples``. Each list the console offers has its index ending in (last_seen, id), the order of the queue; hosts, users and
addresses are found through ``alert_entities`` (an index on each would cost every insert a page written at random).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db.base import Base

SUPPRESSED = "suppressed"
STATUSES: tuple[str, ...] = ("new", "acknowledged", "in_progress", "closed", SUPPRESSED)
SETTABLE: tuple[str, ...] = STATUSES[:4]
"""What a person can set; ``suppressed`` is how an alert begins that a suppression matches (suppressions.py)."""

OPEN: tuple[str, ...] = STATUSES[:3]
"""What waits for somebody."""

VERDICTS: tuple[str, ...] = ("true_positive", "false_positive", "benign")
ENTITY_KINDS: tuple[str, ...] = ("host", "user", "ip", "process", "file", "hash", "domain", "asset", "zone", "indicator")

_JUDGED: dict[str, Any] = {f"{dialect}_where": text("verdict IS NOT NULL") for dialect in ("sqlite", "postgresql")}
RowId = BigInteger().with_variant(Integer, "sqlite")


def _where(condition: str) -> dict[str, Any]:
    """The rows that an index holds: few of a million."""
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


class Alert(Base):
    """Detections of one rule on the same main entities, counted up within the window.

    ``first_seen``/``last_seen`` are event times; ``created_at``/``updated_at`` are ours. ``version`` grows with every change that a
    person makes (optimistic locking, ETag); counting up does not touch it. ``suppressed_by`` is the suppression that the alert
    began under and stays, whatever is done to the alert; ``merged_into`` the lead alert, while it is merged into one.
    """

    __tablename__ = "alerts"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    dedup_key: Mapped[str] = mapped_column(String(32))
    rule_id: Mapped[str] = mapped_column(String(160))
    rule_name: Mapped[str] = mapped_column(String(512))
    engine: Mapped[str] = mapped_column(String(16))
    level: Mapped[str] = mapped_column(String(16))
    level_rank: Mapped[int]
    status: Mapped[str] = mapped_column(String(16))
    verdict: Mapped[str | None] = mapped_column(String(16))
    assignee: Mapped[str | None] = mapped_column(String(64))  # user name
    count: Mapped[int]
    first_seen: Mapped[str] = mapped_column(String(27))
    last_seen: Mapped[str] = mapped_column(String(27))
    created_at: Mapped[str] = mapped_column(String(27))
    updated_at: Mapped[str] = mapped_column(String(27))
    host: Mapped[str | None] = mapped_column(String(255))
    user: Mapped[str | None] = mapped_column("user_name", String(255))
    source_ip: Mapped[str | None] = mapped_column(String(64))
    destination_ip: Mapped[str | None] = mapped_column(String(64))
    dataset: Mapped[str] = mapped_column(String(128))
    source: Mapped[str] = mapped_column(String(128))
    tags: Mapped[str] = mapped_column(Text)  # JSON list; alert_tags holds them for filtering
    version: Mapped[int] = mapped_column(default=1)
    suppressed_by: Mapped[int | None] = mapped_column(RowId)
    merged_into: Mapped[int | None] = mapped_column(RowId)
    closed_at: Mapped[str | None] = mapped_column(String(27))  # when it got the status closed; NULL while it has another

    __table_args__ = (
        Index("ix_alerts_dedup", "dedup_key", "last_seen"),
        Index("ix_alerts_seen", "last_seen", "id"),
        Index("ix_alerts_status_seen", "status", "last_seen", "id"),
        Index("ix_alerts_status_level_seen", "status", "level", "last_seen", "id"),
        Index("ix_alerts_level_seen", "level", "last_seen", "id"),
        Index("ix_alerts_rule_seen", "rule_id", "last_seen", "id"),
        Index("ix_alerts_engine_seen", "engine", "last_seen", "id"),
        Index("ix_alerts_assignee_status_seen", "assignee", "status", "last_seen", "id"),
        Index("ix_alerts_suppressed", "suppressed_by", "last_seen", "id", **_where("suppressed_by IS NOT NULL")),
        Index("ix_alerts_merged", "merged_into", "last_seen", "id", **_where("merged_into IS NOT NULL")),
        # Only alerts with a verdict stand in it: a new alert costs nothing here.
        Index("ix_alerts_rule_verdict", "rule_id", "verdict", "last_seen", "id", **_JUDGED),
        {"sqlite_autoincrement": True},
    )


class AlertSample(Base):
    """The big part of an alert, read only on its page: the first triggering event, and why the rule fired."""

    __tablename__ = "alert_samples"

    alert_id: Mapped[int] = mapped_column(ForeignKey("alerts.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)
    event: Mapped[str] = mapped_column(Text)  # JSON object, flat ECS
    rule: Mapped[str] = mapped_column(
        Text
    )  # JSON object: matched, description, author, references, falsepositives, rule_file, group


class AlertDetection(Base):
    """A detection that was counted. Its primary key makes recording a batch twice harmless."""

    __tablename__ = "alert_detections"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    alert_id: Mapped[int] = mapped_column(ForeignKey("alerts.id", ondelete="CASCADE"))
    time: Mapped[str] = mapped_column(String(27))
    event_ids: Mapped[str] = mapped_column(Text)  # space separated

    __table_args__ = (Index("ix_alert_detections_alert", "alert_id", "time", "id"),)


class AlertEntity(Base):
    """Something an alert is about. ``value`` is lower case for host, user and domain."""

    __tablename__ = "alert_entities"

    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    value: Mapped[str] = mapped_column(String(512), primary_key=True)
    alert_id: Mapped[int] = mapped_column(ForeignKey("alerts.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)
    role: Mapped[str] = mapped_column(String(32))  # the event field it came from

    __table_args__ = (Index("ix_alert_entities_alert", "alert_id"),)


class AlertTag(Base):
    """A tag of an alert, e.g. ``attack.t1059.001``."""

    __tablename__ = "alert_tags"

    tag: Mapped[str] = mapped_column(String(128), primary_key=True)
    alert_id: Mapped[int] = mapped_column(ForeignKey("alerts.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)

    __table_args__ = (Index("ix_alert_tags_alert", "alert_id"),)


class AlertHistory(Base):
    """What happened to an alert: who, when, what. ``batch`` ties the rows of one bulk change together (undo)."""

    __tablename__ = "alert_history"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    alert_id: Mapped[int] = mapped_column(ForeignKey("alerts.id", ondelete="CASCADE"))
    time: Mapped[str] = mapped_column(String(27))
    actor: Mapped[str] = mapped_column(String(160))
    kind: Mapped[str] = mapped_column(String(16))  # change | note | merge | unmerge
    before: Mapped[str] = mapped_column(Text)  # JSON object of changed fields
    after: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text)
    batch: Mapped[str] = mapped_column(String(32))

    __table_args__ = (Index("ix_alert_history_alert", "alert_id", "id"), Index("ix_alert_history_batch", "batch"))


class AlertCount(Base):
    """How many alerts have a value, by status: facets without counting a million rows. Changed in the alert's transaction."""

    __tablename__ = "alert_counts"

    dimension: Mapped[str] = mapped_column(String(16), primary_key=True)  # all | engine | rule | host | tag | assignee | verdict
    status: Mapped[str] = mapped_column(String(16), primary_key=True)
    level: Mapped[str] = mapped_column(String(16), primary_key=True)
    value: Mapped[str] = mapped_column(String(255), primary_key=True)
    count: Mapped[int]
    label: Mapped[str] = mapped_column(String(512), default="")


class AlertZoneCount(Base):
    """How many alerts name exactly these zones (zone_counts.py), by status and level. Changed in the alert's transaction."""

    __tablename__ = "alert_zone_counts"

    dimension: Mapped[str] = mapped_column(String(16), primary_key=True)  # all | assignee
    value: Mapped[str] = mapped_column(String(64), primary_key=True)
    status: Mapped[str] = mapped_column(String(16), primary_key=True)
    level: Mapped[str] = mapped_column(String(16), primary_key=True)
    zones: Mapped[str] = mapped_column(Text, primary_key=True)  # JSON list, sorted; never empty
    count: Mapped[int]


class RuleDay(Base):
    """Alerts that a rule made on a day (UTC), by what became of them: ``open`` or a verdict. Changed in the alert's transaction.

    Its key is the order in which sums over all rules read it, and the rows stand in it.
    """

    __tablename__ = "rule_days"

    rule_id: Mapped[str] = mapped_column(String(160), primary_key=True)
    outcome: Mapped[str] = mapped_column(String(16), primary_key=True)
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    alerts: Mapped[int]

    __table_args__ = {"sqlite_with_rowid": False}  # SQLAlchemy reads it


class RuleClosing(Base):
    """How long the closed alerts that a rule made on a day were open, in steps of half an octave (rule_days.step_of)."""

    __tablename__ = "rule_closings"

    rule_id: Mapped[str] = mapped_column(String(160), primary_key=True)
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    step: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    alerts: Mapped[int]

    __table_args__ = {"sqlite_with_rowid": False}  # SQLAlchemy reads it
