"""Tables of reviews and hand-outs."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db.base import Base

STATES: tuple[str, ...] = ("open", "answered", "closed")
ENTRIES: tuple[str, ...] = ("comment", "ask", "answer", "send_back", "close")

_ID = BigInteger().with_variant(Integer, "sqlite")
_MOMENT = String(27)


class RequestRow(Base):
    """Evidence that an auditor asks for. ``item`` "" = about the system, ``object_id`` 0 = the system as a whole.

    due_on   the day (2026-12-31) until which an answer is expected, "" = none
    version  moves with each entry, so that nobody closes what was answered anew a moment ago
    """

    __tablename__ = "compliance_requests"

    id: Mapped[int] = mapped_column(_ID, primary_key=True)
    system_id: Mapped[int] = mapped_column(ForeignKey("mlps_systems.id", ondelete="CASCADE"))
    item: Mapped[str] = mapped_column(String(24))
    object_id: Mapped[int] = mapped_column(_ID)
    state: Mapped[str] = mapped_column(String(16))
    text: Mapped[str] = mapped_column(Text)
    due_on: Mapped[str] = mapped_column(String(10))
    asked_by: Mapped[str] = mapped_column(String(160))
    asked_at: Mapped[str] = mapped_column(_MOMENT)
    updated_at: Mapped[str] = mapped_column(_MOMENT)
    version: Mapped[int]

    __table_args__ = (
        Index("ix_compliance_requests_state", "state", "id"),
        Index("ix_compliance_requests_system", "system_id", "item", "id"),
        {"sqlite_autoincrement": True},
    )


class EntryRow(Base):
    """What somebody wrote: ``kind`` of ENTRIES; ``request_id`` None = a comment; ``evidence`` as a verdict names it."""

    __tablename__ = "compliance_review_entries"

    id: Mapped[int] = mapped_column(_ID, primary_key=True)
    system_id: Mapped[int] = mapped_column(ForeignKey("mlps_systems.id", ondelete="CASCADE"))
    item: Mapped[str] = mapped_column(String(24))
    object_id: Mapped[int] = mapped_column(_ID)
    request_id: Mapped[int | None] = mapped_column(ForeignKey("compliance_requests.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(16))
    text: Mapped[str] = mapped_column(Text)
    evidence: Mapped[str] = mapped_column(String(128))
    by: Mapped[str] = mapped_column(String(160))
    at: Mapped[str] = mapped_column(_MOMENT)

    __table_args__ = (
        Index("ix_compliance_review_entries_item", "system_id", "item", "id"),
        Index("ix_compliance_review_entries_request", "request_id", "id"),
        {"sqlite_autoincrement": True},
    )


class HandoutRow(Base):
    """A link for somebody without an account to one file, or to the assessment of one system.

    what           a kind of report (compliance.reports.exporting), or ``assessment``
    token_hash     SM3 of the token; the token itself is shown once and kept nowhere
    password_hash  "" = none is asked for
    maker          account of who made it: the link works as long as that may hand out
    package        the file, sealed as evidence is; None: an assessment, or ended
    failures       wrong passwords since the last right one; ``locked_until`` "" = not locked
    """

    __tablename__ = "compliance_handouts"

    id: Mapped[int] = mapped_column(_ID, primary_key=True)
    system_id: Mapped[int] = mapped_column(ForeignKey("mlps_systems.id", ondelete="CASCADE"))
    what: Mapped[str] = mapped_column(String(24))
    language: Mapped[str] = mapped_column(String(2))
    recipient: Mapped[str] = mapped_column(String(128))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    password_hash: Mapped[str] = mapped_column(String(256))
    expires_at: Mapped[str] = mapped_column(_MOMENT)
    maker: Mapped[int] = mapped_column(Integer)
    made_by: Mapped[str] = mapped_column(String(160))
    made_at: Mapped[str] = mapped_column(_MOMENT)
    revoked_by: Mapped[str] = mapped_column(String(160))
    revoked_at: Mapped[str] = mapped_column(_MOMENT)
    file_name: Mapped[str] = mapped_column(String(128))
    media: Mapped[str] = mapped_column(String(128))
    sm3: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]
    head: Mapped[str] = mapped_column(String(64))
    package: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    opened: Mapped[int]
    last_at: Mapped[str] = mapped_column(_MOMENT)
    last_from: Mapped[str] = mapped_column(String(64))
    failures: Mapped[int]
    locked_until: Mapped[str] = mapped_column(_MOMENT)
    version: Mapped[int]

    __table_args__ = (
        Index("ix_compliance_handouts_system", "system_id", "id"),
        Index("ix_compliance_handouts_expiry", "expires_at"),
        {"sqlite_autoincrement": True},
    )


class HandoutCallRow(Base):
    """How often an address called hand-out links since ``since``."""

    __tablename__ = "compliance_handout_calls"

    place: Mapped[str] = mapped_column(String(64), primary_key=True)
    since: Mapped[str] = mapped_column(_MOMENT)
    calls: Mapped[int]
