"""Table of evidence that people bring for verdicts."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Integer, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db.base import Base

_ID = BigInteger().with_variant(Integer, "sqlite")


class EvidenceRow(Base):
    """A file of a system, sealed as evidence is (operations.evidence); a verdict names it by ``sm3``, that of the file itself."""

    __tablename__ = "compliance_evidence"

    id: Mapped[int] = mapped_column(_ID, primary_key=True)
    system_id: Mapped[int] = mapped_column(ForeignKey("mlps_systems.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(128))
    note: Mapped[str] = mapped_column(Text)
    sm3: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]
    head: Mapped[str] = mapped_column(String(64))
    added_by: Mapped[str] = mapped_column(String(160))
    at: Mapped[str] = mapped_column(String(27))
    package: Mapped[bytes] = mapped_column(LargeBinary, nullable=False, deferred=True)

    __table_args__ = (UniqueConstraint("system_id", "sm3", name="uq_compliance_evidence"), {"sqlite_autoincrement": True})
