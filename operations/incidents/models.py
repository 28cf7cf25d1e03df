"""Tables of incidents.

Lists read ``incidents`` alone. What a list sorts or filters by stands in it: ``next_due`` (the earliest deadline that runs) and
``remind_at`` (when the scheduler has to look again) are kept by operations.incidents.timing with every change.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db.base import Base

ORIGINS: tuple[str, ...] = ("alert", "hotline", "bureau", "notice", "patrol", "drill")
TASK_STATES: tuple[str, ...] = ("open", "doing", "done", "dropped")
ACTION_STATES: tuple[str, ...] = ("open", "done", "dropped")
ASSET_KINDS: tuple[str, ...] = ("asset", "service")
ASSET_STATES: tuple[str, ...] = ("affected", "isolated", "restored", "cleared")
INDICATOR_KINDS: tuple[str, ...] = ("ip", "network", "domain", "url", "md5", "sha1", "sha256", "sm3")
REPORT_KINDS: tuple[str, ...] = ("initial", "progress", "closing")
OPERATORS: tuple[str, ...] = ("cii", "state", "other")
"""Kinds of network operator that the reporting measures tell apart: critical infrastructure, central state organs, others."""

_Id = BigInteger().with_variant(Integer, "sqlite")
_MOMENT = String(27)


class Incident(Base):
    """One incident; moments are @timestamp text, "" = not yet.

    severity         level of its worst alert, or as reported (kernel.detection.LEVELS)
    class_code       sub-class of GB/T 20986-2023 as decided, "" = undecided; level 1 (特别重大) to 4 (一般), 0 = undecided
    suggested_level  what the clocks go by while nobody has decided
    pauses           JSON list of [from, to, reason]; the last ``to`` is "" while the SLA clocks stand still
    """

    __tablename__ = "incidents"

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    number: Mapped[str] = mapped_column(String(24), unique=True)
    title: Mapped[str] = mapped_column(String(256))
    description: Mapped[str] = mapped_column(Text)
    origin: Mapped[str] = mapped_column(String(16))
    reporter: Mapped[str] = mapped_column(String(256))
    drill: Mapped[bool]
    severity: Mapped[str] = mapped_column(String(16))
    phase: Mapped[str] = mapped_column(String(16))
    cause: Mapped[str] = mapped_column(String(16))
    class_code: Mapped[str] = mapped_column(String(4))
    level: Mapped[int]
    factors: Mapped[str] = mapped_column(Text)  # JSON object: object, loss, harm
    decided_at: Mapped[str] = mapped_column(_MOMENT)
    decided_by: Mapped[str] = mapped_column(String(160))
    decided_reason: Mapped[str] = mapped_column(Text)
    suggested_class: Mapped[str] = mapped_column(String(4))
    suggested_level: Mapped[int]
    suggestion: Mapped[str] = mapped_column(Text)  # JSON, grading.Suggestion
    operator: Mapped[str] = mapped_column(String(8))
    assignee: Mapped[str] = mapped_column(String(64))
    occurred_at: Mapped[str] = mapped_column(_MOMENT)
    detected_at: Mapped[str] = mapped_column(_MOMENT)
    acknowledged_at: Mapped[str] = mapped_column(_MOMENT)
    contained_at: Mapped[str] = mapped_column(_MOMENT)
    resolved_at: Mapped[str] = mapped_column(_MOMENT)
    closed_at: Mapped[str] = mapped_column(_MOMENT)
    reported_at: Mapped[str] = mapped_column(_MOMENT)  # the first report reached the authority
    closing_reported_at: Mapped[str] = mapped_column(_MOMENT)
    pauses: Mapped[str] = mapped_column(Text)
    next_due: Mapped[str] = mapped_column(_MOMENT)
    remind_at: Mapped[str] = mapped_column(_MOMENT)
    zones: Mapped[str] = mapped_column(Text)  # JSON lists; incident_zones has them for filtering
    organisations: Mapped[str] = mapped_column(Text)
    merged_into: Mapped[int | None] = mapped_column(_Id)
    created_at: Mapped[str] = mapped_column(_MOMENT)
    created_by: Mapped[str] = mapped_column(String(160))
    updated_at: Mapped[str] = mapped_column(_MOMENT)
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (
        # with all that a list filters by: of 100,000 incidents that do not match, none is looked up
        Index("ix_incidents_created", "created_at", "id", "phase", "level", "severity", "class_code", "assignee", "drill"),
        Index("ix_incidents_phase", "phase", "created_at", "id"),
        Index("ix_incidents_assignee", "assignee", "phase", "created_at", "id"),
        Index("ix_incidents_due", text("coalesce(nullif(next_due, ''), '9999-12-31T23:59:59.999999Z')"), text("id DESC")),
        Index("ix_incidents_remind", "remind_at"),
        Index("ix_incidents_detected", "detected_at", "id"),
        Index("ix_incidents_level", text("coalesce(nullif(level, 0), suggested_level)"), text("id DESC")),
        Index("ix_incidents_drill", "drill", "detected_at"),
        {"sqlite_autoincrement": True},
    )


class IncidentZone(Base):
    """A zone that an incident concerns. ``created_at`` is that of the incident: the newest of a zone are read from its index."""

    __tablename__ = "incident_zones"

    zone: Mapped[str] = mapped_column(String(64), primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)
    created_at: Mapped[str] = mapped_column(_MOMENT)

    __table_args__ = (
        Index("ix_incident_zones_incident", "incident_id"),
        Index("ix_incident_zones_newest", "zone", "created_at", "incident_id"),
    )


class IncidentAlert(Base):
    """An alert of an incident; it is in one incident only."""

    __tablename__ = "incident_alerts"

    alert_id: Mapped[int] = mapped_column(ForeignKey("alerts.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id", ondelete="CASCADE"))
    added_at: Mapped[str] = mapped_column(_MOMENT)
    added_by: Mapped[str] = mapped_column(String(160))

    __table_args__ = (Index("ix_incident_alerts_incident", "incident_id", "alert_id"),)


class IncidentTask(Base):
    """Something to be done. ``template`` is the key of data/tasks.yaml that it came from ("" = by hand)."""

    __tablename__ = "incident_tasks"

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id", ondelete="CASCADE"))
    template: Mapped[str] = mapped_column(String(64))
    title: Mapped[str] = mapped_column(String(256))
    phase: Mapped[str] = mapped_column(String(16))
    status: Mapped[str] = mapped_column(String(8))
    assignee: Mapped[str] = mapped_column(String(64))
    due_at: Mapped[str] = mapped_column(_MOMENT)
    result: Mapped[str] = mapped_column(Text)
    created_at: Mapped[str] = mapped_column(_MOMENT)
    created_by: Mapped[str] = mapped_column(String(160))
    done_at: Mapped[str] = mapped_column(_MOMENT)
    done_by: Mapped[str] = mapped_column(String(160))
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (Index("ix_incident_tasks_incident", "incident_id", "id"), {"sqlite_autoincrement": True})


class TimelineEntry(Base):
    """What happened. ``time`` is when it happened, ``recorded_at`` when it was written down; entries are never changed.

    kind      act (by the platform), alert, entry (by hand), note (war room), decision
    act       for acts: the name of the act, with ``detail`` (JSON) told by the page in its language
    alert_id  the alert it tells of; who may not see the alert does not see the entry
    """

    __tablename__ = "incident_timeline"

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id", ondelete="CASCADE"))
    time: Mapped[str] = mapped_column(_MOMENT)
    recorded_at: Mapped[str] = mapped_column(_MOMENT)
    actor: Mapped[str] = mapped_column(String(160))
    kind: Mapped[str] = mapped_column(String(8))
    act: Mapped[str] = mapped_column(String(32))
    detail: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    alert_id: Mapped[int | None] = mapped_column(_Id)

    __table_args__ = (Index("ix_incident_timeline", "incident_id", "time", "id"), {"sqlite_autoincrement": True})


class IncidentIndicator(Base):
    """A sign of the attack: an address, a domain, a hash. ``source`` is alert or manual."""

    __tablename__ = "incident_indicators"

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(8))
    value: Mapped[str] = mapped_column(String(512))
    source: Mapped[str] = mapped_column(String(8))
    note: Mapped[str] = mapped_column(String(512))
    added_at: Mapped[str] = mapped_column(_MOMENT)
    added_by: Mapped[str] = mapped_column(String(160))

    __table_args__ = (
        UniqueConstraint("incident_id", "kind", "value"),
        Index("ix_incident_indicators_value", "value"),
        {"sqlite_autoincrement": True},
    )


class AffectedAsset(Base):
    """A device or a service of the city that suffers, with the city layer it belongs to."""

    __tablename__ = "incident_assets"

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(8))
    name: Mapped[str] = mapped_column(String(256))
    zone: Mapped[str] = mapped_column(String(64))
    layer: Mapped[str] = mapped_column(String(16))
    organisation: Mapped[str] = mapped_column(String(128))
    state: Mapped[str] = mapped_column(String(8))
    impact: Mapped[str] = mapped_column(String(1000))
    added_at: Mapped[str] = mapped_column(_MOMENT)
    added_by: Mapped[str] = mapped_column(String(160))
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (UniqueConstraint("incident_id", "kind", "name"), {"sqlite_autoincrement": True})


class IncidentEvidence(Base):
    """A sealed package (operations.evidence). ``head`` is the SM3 of its last custody link: links cut off are noticed by it."""

    __tablename__ = "incident_evidence"

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id", ondelete="CASCADE"))
    evidence: Mapped[str] = mapped_column(String(32), unique=True)
    name: Mapped[str] = mapped_column(String(256))
    sm3: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]
    events: Mapped[int]
    left_out: Mapped[int]
    head: Mapped[str] = mapped_column(String(64))
    zones: Mapped[str] = mapped_column(Text)  # JSON list: those of the incident when it was sealed
    sealed_at: Mapped[str] = mapped_column(_MOMENT)
    sealed_by: Mapped[str] = mapped_column(String(160))
    version: Mapped[int] = mapped_column(default=1)
    package: Mapped[bytes] = mapped_column(LargeBinary, nullable=False, deferred=True)

    __table_args__ = (Index("ix_incident_evidence_incident", "incident_id", "id"), {"sqlite_autoincrement": True})


class EvidenceKey(Base):
    """A key that packages are sealed to and custody links signed with, itself sealed under the master key; the newest is in use."""

    __tablename__ = "incident_evidence_keys"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    certificate: Mapped[str] = mapped_column(Text)
    sealed: Mapped[str] = mapped_column(Text)
    created_at: Mapped[str] = mapped_column(_MOMENT)


class IncidentReport(Base):
    """An issued report, kept as it was issued. ``submitted_*``: that and how it reached the authority."""

    __tablename__ = "incident_reports"

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id", ondelete="CASCADE"))
    number: Mapped[str] = mapped_column(String(40), unique=True)
    kind: Mapped[str] = mapped_column(String(8))
    language: Mapped[str] = mapped_column(String(2))
    issued_at: Mapped[str] = mapped_column(_MOMENT)
    issued_by: Mapped[str] = mapped_column(String(160))
    zones: Mapped[str] = mapped_column(Text)
    docx_sm3: Mapped[str] = mapped_column(String(64))
    pdf_sm3: Mapped[str] = mapped_column(String(64))
    submitted_at: Mapped[str] = mapped_column(_MOMENT)
    submitted_to: Mapped[str] = mapped_column(String(256))
    receipt: Mapped[str] = mapped_column(String(256))
    version: Mapped[int] = mapped_column(default=1)
    docx: Mapped[bytes] = mapped_column(LargeBinary, nullable=False, deferred=True)
    pdf: Mapped[bytes] = mapped_column(LargeBinary, nullable=False, deferred=True)

    __table_args__ = (Index("ix_incident_reports_incident", "incident_id", "id"), {"sqlite_autoincrement": True})


class IncidentReview(Base):
    """What was learnt, in the words of the closing report (cause, measures, harm, responsibility, improvement, lessons)."""

    __tablename__ = "incident_reviews"

    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)
    root_cause: Mapped[str] = mapped_column(Text)
    measures: Mapped[str] = mapped_column(Text)
    harm: Mapped[str] = mapped_column(Text)
    responsibility: Mapped[str] = mapped_column(Text)
    lessons: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[str] = mapped_column(_MOMENT)
    changed_by: Mapped[str] = mapped_column(String(160))
    version: Mapped[int] = mapped_column(default=1)


class ImprovementAction(Base):
    """What follows from a review, with who does it until when."""

    __tablename__ = "incident_actions"

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(256))
    owner: Mapped[str] = mapped_column(String(128))
    due_at: Mapped[str] = mapped_column(_MOMENT)
    status: Mapped[str] = mapped_column(String(8))
    created_at: Mapped[str] = mapped_column(_MOMENT)
    created_by: Mapped[str] = mapped_column(String(160))
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (Index("ix_incident_actions_incident", "incident_id", "id"), {"sqlite_autoincrement": True})


class IncidentReminder(Base):
    """A reminder that went out. The primary key makes sending it a second time impossible."""

    __tablename__ = "incident_reminders"

    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)
    clock: Mapped[str] = mapped_column(String(24), primary_key=True)
    due: Mapped[str] = mapped_column(_MOMENT, primary_key=True)
    kind: Mapped[str] = mapped_column(String(8), primary_key=True)  # soon | overdue
    sent_at: Mapped[str] = mapped_column(_MOMENT)


class DeadlineChange(Base):
    """A number of data/deadlines.yaml as this city has set or confirmed it."""

    __tablename__ = "incident_deadlines"

    key: Mapped[str] = mapped_column(String(32), primary_key=True)
    minutes: Mapped[int]
    confirmed: Mapped[bool]
    changed_at: Mapped[str] = mapped_column(_MOMENT)
    changed_by: Mapped[str] = mapped_column(String(160))
    version: Mapped[int] = mapped_column(default=1)


class IncidentNumber(Base):
    """The last number given in a series such as ``SJ-2026``."""

    __tablename__ = "incident_numbers"

    series: Mapped[str] = mapped_column(String(32), primary_key=True)
    last: Mapped[int]
