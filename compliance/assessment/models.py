"""Tables of verdicts, decisions and kept scores.

One row of ``compliance_verdicts`` is what counts now for an item on an object, so that a page groups rows of one index and never
looks for the last line of a history. ``object_id`` 0 is the system as a whole.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db.base import Base

SOURCES: tuple[str, ...] = ("probe", "person")
DECISIONS: tuple[str, ...] = ("compensation", "risk", "hazard", "importance", "setting", "crypto_risk", "crypto_lowered")

_ID = BigInteger().with_variant(Integer, "sqlite")
_MOMENT = String(27)


def _system() -> Mapped[int]:
    return mapped_column(ForeignKey("mlps_systems.id", ondelete="CASCADE"), primary_key=True)


class VerdictRow(Base):
    """What counts now.

    standard        22239 or 39786; ``security_class`` the class (8.1.4) or layer (6.2) that the item is in
    probed          what a probe said last, "" = none did; it differs from ``verdict`` only where a person's word stands
    at, checked_at  when the verdict was given; when it was last confirmed or contradicted
    detail          of a cryptography unit: what was found about the object, JSON, else ""
    """

    __tablename__ = "compliance_verdicts"

    system_id: Mapped[int] = _system()
    item: Mapped[str] = mapped_column(String(24), primary_key=True)
    object_id: Mapped[int] = mapped_column(_ID, primary_key=True, autoincrement=False)
    standard: Mapped[str] = mapped_column(String(8))
    security_class: Mapped[str] = mapped_column(String(16))
    verdict: Mapped[str] = mapped_column(String(16))
    source: Mapped[str] = mapped_column(String(8))
    judged_by: Mapped[str] = mapped_column(String(160))
    reason: Mapped[str] = mapped_column(Text)
    evidence: Mapped[str] = mapped_column(String(128))
    reproduce: Mapped[str] = mapped_column(Text)
    detail: Mapped[str] = mapped_column(Text)
    at: Mapped[str] = mapped_column(_MOMENT)
    checked_at: Mapped[str] = mapped_column(_MOMENT)
    probed: Mapped[str] = mapped_column(String(16))
    probed_at: Mapped[str] = mapped_column(_MOMENT)
    version: Mapped[int]

    __table_args__ = (
        Index("ix_compliance_verdicts_items", "system_id", "standard", "item", "verdict"),
        Index("ix_compliance_verdicts_objects", "object_id", "security_class", "verdict"),
    )


class VerdictStep(Base):
    """A line of the history: what was said, by whom and why. ``counted`` False: by a probe, while a person's
    word stood or a newer look was there."""

    __tablename__ = "compliance_verdict_steps"

    id: Mapped[int] = mapped_column(_ID, primary_key=True)
    system_id: Mapped[int] = mapped_column(ForeignKey("mlps_systems.id", ondelete="CASCADE"))
    item: Mapped[str] = mapped_column(String(24))
    object_id: Mapped[int] = mapped_column(_ID)
    verdict: Mapped[str] = mapped_column(String(16))
    previous: Mapped[str] = mapped_column(String(16))
    source: Mapped[str] = mapped_column(String(8))
    judged_by: Mapped[str] = mapped_column(String(160))
    reason: Mapped[str] = mapped_column(Text)
    evidence: Mapped[str] = mapped_column(String(128))
    reproduce: Mapped[str] = mapped_column(Text)
    at: Mapped[str] = mapped_column(_MOMENT)
    counted: Mapped[bool]

    __table_args__ = (Index("ix_compliance_verdict_steps", "system_id", "item", "object_id", "id"),)


class DecisionRow(Base):
    """What a person decided about the result: ``kind`` of DECISIONS; ``subject`` an item, trigger, unit or setting."""

    __tablename__ = "compliance_decisions"

    system_id: Mapped[int] = _system()
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    subject: Mapped[str] = mapped_column(String(64), primary_key=True)
    object_id: Mapped[int] = mapped_column(_ID, primary_key=True, autoincrement=False)
    value: Mapped[str] = mapped_column(String(32))
    reason: Mapped[str] = mapped_column(Text)
    decided_by: Mapped[str] = mapped_column(String(160))
    decided_at: Mapped[str] = mapped_column(_MOMENT)
    version: Mapped[int]


class DecisionStep(Base):
    """A line of the history of decisions. ``value`` "" = withdrawn, ``previous`` "" = there was none."""

    __tablename__ = "compliance_decision_steps"

    id: Mapped[int] = mapped_column(_ID, primary_key=True)
    system_id: Mapped[int] = mapped_column(ForeignKey("mlps_systems.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(16))
    subject: Mapped[str] = mapped_column(String(64))
    object_id: Mapped[int] = mapped_column(_ID)
    value: Mapped[str] = mapped_column(String(32))
    previous: Mapped[str] = mapped_column(String(32))
    reason: Mapped[str] = mapped_column(Text)
    decided_by: Mapped[str] = mapped_column(String(160))
    decided_at: Mapped[str] = mapped_column(_MOMENT)

    __table_args__ = (
        Index("ix_compliance_decision_steps", "system_id", "subject", "id"),
        {"sqlite_autoincrement": True},
    )


class ScoreRow(Base):
    """A score as it was at a moment; ``outcome`` the whole result, JSON."""

    __tablename__ = "compliance_scores"

    id: Mapped[int] = mapped_column(_ID, primary_key=True)
    system_id: Mapped[int] = mapped_column(ForeignKey("mlps_systems.id", ondelete="CASCADE"))
    template: Mapped[str] = mapped_column(String(8))
    at: Mapped[str] = mapped_column(_MOMENT)
    kept_by: Mapped[str] = mapped_column(String(160))
    value: Mapped[str] = mapped_column(String(16))
    conclusion: Mapped[str] = mapped_column(String(32))
    provisional: Mapped[bool]
    outcome: Mapped[str] = mapped_column(Text)

    __table_args__ = (Index("ix_compliance_scores", "system_id", "template", "id"), {"sqlite_autoincrement": True})
