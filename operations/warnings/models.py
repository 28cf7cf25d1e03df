"""Tables of early warnings.

The board reads ``warnings`` and counts ``warning_receipts``; everything that was ever sent to somebody stays: an adjustment makes a
new edition with receipts of its own, and the earlier ones keep theirs.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db.base import Base

_Id = BigInteger().with_variant(Integer, "sqlite")
_MOMENT = String(27)


class WarningRow(Base):
    """A warning. Texts are those of the last edition; ``organisations`` and ``zones`` (JSON lists) are whom it is meant for.

    edition       0 until it is published, 1 then, one more with every adjustment
    year, number  〔year〕第 number 号, given at publication
    contributors  JSON list of the users who wrote it; none of them may approve it
    source        hand | alert | pattern | advisory; ``source_alert`` the alert it was made from
    reasons       JSON list: why it was drafted by itself
    pattern       what made it (``rule:<id>``, ``technique:<tag>``, ``boundary:<zone>``, ``advisory:<key>``)
    pattern_key   the same with the id of the warning of this pattern before it; unique
    """

    __tablename__ = "warnings"

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    status: Mapped[str] = mapped_column(String(16))
    level: Mapped[str] = mapped_column(String(8))
    importance: Mapped[str] = mapped_column(String(16))
    harm: Mapped[str] = mapped_column(String(16))
    title: Mapped[str] = mapped_column(String(200))
    nature: Mapped[str] = mapped_column(Text)
    threat: Mapped[str] = mapped_column(Text)
    extent: Mapped[str] = mapped_column(Text)
    objects: Mapped[str] = mapped_column(Text)
    effect: Mapped[str] = mapped_column(Text)
    measures: Mapped[str] = mapped_column(Text)
    organisations: Mapped[str] = mapped_column(Text)
    zones: Mapped[str] = mapped_column(Text)
    edition: Mapped[int]
    year: Mapped[int | None]
    number: Mapped[int | None]
    author: Mapped[str] = mapped_column(String(160))
    contributors: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(String(16))
    source_alert: Mapped[int | None] = mapped_column(BigInteger)
    reasons: Mapped[str] = mapped_column(Text)
    pattern: Mapped[str | None] = mapped_column(String(200))
    pattern_key: Mapped[str | None] = mapped_column(String(220), unique=True)
    created_at: Mapped[str] = mapped_column(_MOMENT)
    updated_at: Mapped[str] = mapped_column(_MOMENT)
    approved_by: Mapped[str] = mapped_column(String(160), default="")
    approved_at: Mapped[str | None] = mapped_column(_MOMENT)
    published_at: Mapped[str | None] = mapped_column(_MOMENT)
    closed_at: Mapped[str | None] = mapped_column(_MOMENT)
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (
        UniqueConstraint("year", "number", name="uq_warnings_number"),
        Index("ix_warnings_status", "status", "id"),
        Index("ix_warnings_level", "level", "id"),
        Index("ix_warnings_pattern", "pattern", "id"),
        Index("ix_warnings_published", "published_at"),
        {"sqlite_autoincrement": True},
    )


class WarningReceipt(Base):
    """One organisation that one edition went to: what it was asked for until when, and what it answered."""

    __tablename__ = "warning_receipts"

    warning_id: Mapped[int] = mapped_column(ForeignKey("warnings.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)
    edition: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    organisation: Mapped[str] = mapped_column(String(128), primary_key=True)
    sent_at: Mapped[str] = mapped_column(_MOMENT)
    receipt_due: Mapped[str] = mapped_column(_MOMENT)
    feedback_due: Mapped[str] = mapped_column(_MOMENT)
    received_at: Mapped[str | None] = mapped_column(_MOMENT)
    received_by: Mapped[str] = mapped_column(String(160), default="")
    comment: Mapped[str] = mapped_column(Text, default="")
    feedback_at: Mapped[str | None] = mapped_column(_MOMENT)
    feedback_by: Mapped[str] = mapped_column(String(160), default="")
    feedback: Mapped[str] = mapped_column(Text, default="")

    __table_args__ = (
        Index("ix_warning_receipts_organisation", "organisation", "received_at", "warning_id"),
        Index("ix_warning_receipts_receipt", "received_at", "receipt_due"),
        Index("ix_warning_receipts_feedback", "feedback_at", "feedback_due"),
        Index("ix_warning_receipts_sent", "sent_at"),
    )


class WarningZone(Base):
    """A zone that a published warning names, for those who see single zones."""

    __tablename__ = "warning_zones"

    zone: Mapped[str] = mapped_column(String(64), primary_key=True)
    warning_id: Mapped[int] = mapped_column(ForeignKey("warnings.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)

    __table_args__ = (Index("ix_warning_zones_warning", "warning_id"),)


class WarningReminder(Base):
    """That somebody was reminded. The key makes a second reminder of the same step impossible, whoever tries."""

    __tablename__ = "warning_reminders"

    warning_id: Mapped[int] = mapped_column(ForeignKey("warnings.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)
    edition: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    organisation: Mapped[str] = mapped_column(String(128), primary_key=True)
    step: Mapped[str] = mapped_column(String(16), primary_key=True)  # receipt | feedback
    time: Mapped[str] = mapped_column(_MOMENT)


class WarningHistory(Base):
    """What happened. ``organisation`` is whose act it was, "" = the centre's; ``inner`` acts are not shown to organisations."""

    __tablename__ = "warning_history"

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    warning_id: Mapped[int] = mapped_column(ForeignKey("warnings.id", ondelete="CASCADE"))
    time: Mapped[str] = mapped_column(_MOMENT)
    actor: Mapped[str] = mapped_column(String(160))
    act: Mapped[str] = mapped_column(String(16))
    edition: Mapped[int]
    organisation: Mapped[str] = mapped_column(String(128), default="")
    inner: Mapped[bool] = mapped_column(default=False)
    before: Mapped[str] = mapped_column(Text)  # JSON object of changed fields
    after: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text, default="")

    __table_args__ = (Index("ix_warning_history_warning", "warning_id", "id"),)


class WarningNumber(Base):
    """The last number given in a year. Taken in the transaction of the publication, so none is lost and none is given twice."""

    __tablename__ = "warning_numbers"

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int]


class WarningSetting(Base):
    """A table of settings.NAMES as this site decided; without a row standard.yml holds. ``value`` is JSON."""

    __tablename__ = "warning_settings"

    name: Mapped[str] = mapped_column(String(16), primary_key=True)
    value: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(String(512))
    to_be_confirmed: Mapped[bool]
    changed_at: Mapped[str] = mapped_column(_MOMENT)
    changed_by: Mapped[str] = mapped_column(String(160))
    version: Mapped[int]
