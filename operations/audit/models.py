"""Tables of the audit trail. Triggers of the migration refuse UPDATE and DELETE on ``audit_entries``."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db.base import Base


class AuditEntry(Base):
    """One act. ``detail`` is canonical JSON; ``digest`` = SM3(previous digest + canonical JSON of all other columns), hex."""

    __tablename__ = "audit_entries"

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False)
    time: Mapped[str] = mapped_column(String(27))
    actor: Mapped[str] = mapped_column(String(160))
    address: Mapped[str] = mapped_column(String(64))
    action: Mapped[str] = mapped_column(String(64))
    object_type: Mapped[str] = mapped_column(String(32))
    object_id: Mapped[str] = mapped_column(String(128))
    result: Mapped[str] = mapped_column(String(16))  # success | failure | denied
    detail: Mapped[str] = mapped_column(Text)
    previous: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))

    __table_args__ = (
        Index("ix_audit_entries_actor", "actor", "id"),
        Index("ix_audit_entries_action", "action", "id"),
        Index("ix_audit_entries_object", "object_type", "object_id", "id"),
        Index("ix_audit_entries_time", "time"),
    )


class AuditHead(Base):
    """The end of the chain (one row). Shows a cut tail, and is the lock that makes appenders queue in PostgreSQL."""

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last_id: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str] = mapped_column(String(64))
