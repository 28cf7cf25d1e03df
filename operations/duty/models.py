"""Tables of the duty room. Days are those of Beijing, moments UTC text."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db.base import Base

_Id = BigInteger().with_variant(Integer, "sqlite")
_MOMENT = String(27)


class DutyState(Base):
    """One row. ``revision`` grows with every change of roster and shifts; changing it first also lets one writer in at a time."""

    __tablename__ = "duty_state"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    revision: Mapped[int]


class ShiftRow(Base):
    """A shift of the day: ``start`` minutes after midnight in Beijing, ``length`` in minutes."""

    __tablename__ = "duty_shifts"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    name_en: Mapped[str] = mapped_column(String(64))
    start: Mapped[int]
    length: Mapped[int]


class RosterEntry(Base):
    """Who is on duty: ``rank`` 1 is called first, then 2 and so on. The bounds are those that the shift had when it was planned."""

    __tablename__ = "duty_roster"

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    day: Mapped[str] = mapped_column(String(10))
    shift: Mapped[str] = mapped_column(String(32))
    rank: Mapped[int]
    name: Mapped[str] = mapped_column(String(64))
    start_at: Mapped[str] = mapped_column(_MOMENT)
    end_at: Mapped[str] = mapped_column(_MOMENT)
    planned_by: Mapped[str] = mapped_column(String(160))

    __table_args__ = (
        UniqueConstraint("day", "shift", "rank", name="uq_duty_roster_rank"),
        UniqueConstraint("day", "shift", "name", name="uq_duty_roster_name"),
        Index("ix_duty_roster_time", "start_at", "end_at"),
        Index("ix_duty_roster_name", "name", "start_at"),
        {"sqlite_autoincrement": True},
    )


class Handover(Base):
    """The note of a shift that leaves (``day``, ``shift``), and who of the coming one took it over.

    counts, accepted_counts  JSON: what was open when it was written, and when it was accepted
    """

    __tablename__ = "duty_handovers"

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    day: Mapped[str] = mapped_column(String(10))
    shift: Mapped[str] = mapped_column(String(32))
    note: Mapped[str] = mapped_column(Text)
    counts: Mapped[str] = mapped_column(Text)
    written_by: Mapped[str] = mapped_column(String(64))
    written_at: Mapped[str] = mapped_column(_MOMENT)
    accepted_by: Mapped[str | None] = mapped_column(String(64))
    accepted_at: Mapped[str | None] = mapped_column(_MOMENT)
    remark: Mapped[str] = mapped_column(Text)
    accepted_counts: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (
        UniqueConstraint("day", "shift", name="uq_duty_handovers_shift"),
        {"sqlite_autoincrement": True},
    )


class LogEntry(Base):
    """A line of the shift log; nobody changes it."""

    __tablename__ = "duty_log"

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    time: Mapped[str] = mapped_column(_MOMENT)
    actor: Mapped[str] = mapped_column(String(160))
    kind: Mapped[str] = mapped_column(String(16))
    text: Mapped[str] = mapped_column(Text)

    __table_args__ = ({"sqlite_autoincrement": True},)


class Escalation(Base):
    """Something that was passed to the next person; ``step`` counts within one matter."""

    __tablename__ = "duty_escalations"

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    object_id: Mapped[str] = mapped_column(String(128))
    reason: Mapped[str] = mapped_column(Text)
    step: Mapped[int]
    from_name: Mapped[str] = mapped_column(String(160))
    to_name: Mapped[str] = mapped_column(String(64))
    time: Mapped[str] = mapped_column(_MOMENT)
    acknowledged_by: Mapped[str | None] = mapped_column(String(160))
    acknowledged_at: Mapped[str | None] = mapped_column(_MOMENT)

    __table_args__ = (
        Index("ix_duty_escalations_object", "kind", "object_id", "id"),
        Index("ix_duty_escalations_open", "acknowledged_at", "id"),
        {"sqlite_autoincrement": True},
    )
