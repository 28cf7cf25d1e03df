"""Tables of the improvement register."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db.base import Base

SOURCES: tuple[str, ...] = ("review", "drill", "audit", "supervision", "suggestion")
STATES: tuple[str, ...] = ("proposed", "accepted", "in_progress", "done", "verified", "declined")
OPEN: tuple[str, ...] = ("proposed", "accepted", "in_progress", "done")

_ID = BigInteger().with_variant(Integer, "sqlite")


class Improvement(Base):
    """One thing to be made better.

    source, origin  where it comes from; ``origin`` names the object (``incident-action:17``), "" = none; an origin is used once
    organisation    who mends it, "" = the operator
    result, effect  what was done; what somebody else found when looking whether it helped
    """

    __tablename__ = "improvements"

    id: Mapped[int] = mapped_column(_ID, primary_key=True)
    title: Mapped[str] = mapped_column(String(200))
    body: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(String(16))
    origin: Mapped[str | None] = mapped_column(String(64), unique=True)
    organisation: Mapped[str] = mapped_column(String(128))
    responsible: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    due_at: Mapped[str | None] = mapped_column(String(27))
    result: Mapped[str] = mapped_column(Text)
    effect: Mapped[str] = mapped_column(Text)
    created_by: Mapped[str] = mapped_column(String(160))
    created_at: Mapped[str] = mapped_column(String(27))
    updated_at: Mapped[str] = mapped_column(String(27))
    done_by: Mapped[str] = mapped_column(String(160))
    verified_by: Mapped[str] = mapped_column(String(160))
    version: Mapped[int]

    __table_args__ = (
        Index("ix_improvements_updated", "updated_at", "id"),
        Index("ix_improvements_state", "state", "updated_at", "id"),
        Index("ix_improvements_organisation", "organisation", "updated_at", "id"),
        {"sqlite_autoincrement": True},
    )


class ImprovementStep(Base):
    """What happened to one."""

    __tablename__ = "improvement_steps"

    id: Mapped[int] = mapped_column(_ID, primary_key=True)
    improvement_id: Mapped[int] = mapped_column(ForeignKey("improvements.id", ondelete="CASCADE"))
    time: Mapped[str] = mapped_column(String(27))
    actor: Mapped[str] = mapped_column(String(160))
    act: Mapped[str] = mapped_column(String(16))
    note: Mapped[str] = mapped_column(Text)

    __table_args__ = (Index("ix_improvement_steps", "improvement_id", "id"),)
