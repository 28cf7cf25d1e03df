"""Tables of findings and waivers."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db.base import Base

STATES: tuple[str, ...] = ("open", "assigned", "to_retest", "closed")
STEPS: tuple[str, ...] = ("assign", "due", "retest", "failed", "waive", "approve", "refuse", "end")
"""Given to somebody; another day; re-test asked for; re-test failed; waiver asked for, approved, refused, ended."""
WAIVER_STATES: tuple[str, ...] = ("asked", "in_force", "refused", "ended", "expired")

_ID = BigInteger().with_variant(Integer, "sqlite")
_MOMENT = String(27)


class FindingRow(Base):
    """An item that is not or partly met on an object; one that is met again and fails later is a new one.

    state         of STATES; that a waiver holds stands in ``waived_until`` and changes nothing else
    verdict       what counted when this was last looked at
    due_at        of the ticket; "" where there is none
    waived_until  end of the waiver in force, "" = none
    reopened      how many re-tests failed
    retest_at     since when a re-test is asked for, closed_at: since when it is closed; "" = it is not
    retest_by     who asked for it, "" = the end of the ticket did
    outcome       why it was closed: met, not_applicable, or withdrawn (no verdict counts any more)
    """

    __tablename__ = "compliance_findings"

    id: Mapped[int] = mapped_column(_ID, primary_key=True)
    system_id: Mapped[int] = mapped_column(ForeignKey("mlps_systems.id", ondelete="CASCADE"))
    item: Mapped[str] = mapped_column(String(24))
    object_id: Mapped[int] = mapped_column(_ID)
    state: Mapped[str] = mapped_column(String(16))
    verdict: Mapped[str] = mapped_column(String(16))
    ticket_id: Mapped[int | None] = mapped_column(ForeignKey("tickets.id", ondelete="SET NULL"))
    due_at: Mapped[str] = mapped_column(_MOMENT)
    waived_until: Mapped[str] = mapped_column(_MOMENT)
    reopened: Mapped[int]
    opened_at: Mapped[str] = mapped_column(_MOMENT)
    retest_at: Mapped[str] = mapped_column(_MOMENT)
    retest_by: Mapped[str] = mapped_column(String(160), server_default="")
    closed_at: Mapped[str] = mapped_column(_MOMENT)
    outcome: Mapped[str] = mapped_column(String(16))
    updated_at: Mapped[str] = mapped_column(_MOMENT)
    version: Mapped[int]

    __table_args__ = (
        UniqueConstraint("system_id", "item", "object_id", "closed_at", name="uq_compliance_findings_open"),
        Index("ix_compliance_findings_state", "system_id", "state", "id"),
        Index("ix_compliance_findings_due", "system_id", "closed_at", "due_at"),
        Index("ix_compliance_findings_ticket", "ticket_id"),
        {"sqlite_autoincrement": True},
    )


class FindingStepRow(Base):
    """What somebody did about a finding, beside what its verdicts, ticket and waivers tell. ``act`` of STEPS."""

    __tablename__ = "compliance_finding_steps"

    id: Mapped[int] = mapped_column(_ID, primary_key=True)
    finding_id: Mapped[int] = mapped_column(ForeignKey("compliance_findings.id", ondelete="CASCADE"))
    act: Mapped[str] = mapped_column(String(16))
    value: Mapped[str] = mapped_column(String(64))
    note: Mapped[str] = mapped_column(Text)
    by: Mapped[str] = mapped_column(String(160))
    at: Mapped[str] = mapped_column(_MOMENT)

    __table_args__ = (Index("ix_compliance_finding_steps", "finding_id", "id"), {"sqlite_autoincrement": True})


class WaiverRow(Base):
    """That a finding is lived with for a time. ``measure``: what is done instead; ``note``: what the approver said."""

    __tablename__ = "compliance_waivers"

    id: Mapped[int] = mapped_column(_ID, primary_key=True)
    finding_id: Mapped[int] = mapped_column(ForeignKey("compliance_findings.id", ondelete="CASCADE"))
    system_id: Mapped[int] = mapped_column(ForeignKey("mlps_systems.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(Text)
    measure: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[str] = mapped_column(_MOMENT)
    asked_by: Mapped[str] = mapped_column(String(160))
    asked_at: Mapped[str] = mapped_column(_MOMENT)
    decided_by: Mapped[str] = mapped_column(String(160))
    decided_at: Mapped[str] = mapped_column(_MOMENT)
    note: Mapped[str] = mapped_column(Text)
    version: Mapped[int]

    __table_args__ = (
        Index("ix_compliance_waivers_finding", "finding_id", "state"),
        Index("ix_compliance_waivers_system", "system_id", "state", "id"),
        Index("ix_compliance_waivers_expiry", "state", "expires_at"),
        {"sqlite_autoincrement": True},
    )
