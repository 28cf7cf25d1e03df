"""Tables of management documents."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db.base import Base

KINDS: tuple[str, ...] = ("policy", "procedure", "record")
"""制度, 操作规程, 记录表单 (GB/T 22239-2019, 8.1.6.2)."""
STATES: tuple[str, ...] = ("draft", "approved", "in_force", "under_review", "withdrawn")
VALID: tuple[str, ...] = ("in_force", "under_review")
"""A document that is being reviewed holds until it is replaced or withdrawn."""

_ID = BigInteger().with_variant(Integer, "sqlite")
_MOMENT = String(27)


class DocumentRow(Base):
    """A document. Its text is in its editions.

    organisation  whose it is and for whose systems it holds: an owner of the zone plan, "" = the operator
    owner         who keeps it up to date: a name
    review_on     the day (2026-11-23) until which it is to be reviewed, "" = none yet
    edition       number of the last edition; ``in_force`` the one that holds, 0 = none
    """

    __tablename__ = "compliance_documents"

    id: Mapped[int] = mapped_column(_ID, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    title: Mapped[str] = mapped_column(String(200))
    organisation: Mapped[str] = mapped_column(String(128))
    owner: Mapped[str] = mapped_column(String(64))
    description: Mapped[str] = mapped_column(Text)
    review_on: Mapped[str] = mapped_column(String(10))
    edition: Mapped[int]
    in_force: Mapped[int]
    created_by: Mapped[str] = mapped_column(String(160))
    created_at: Mapped[str] = mapped_column(_MOMENT)
    updated_by: Mapped[str] = mapped_column(String(160))
    updated_at: Mapped[str] = mapped_column(_MOMENT)
    version: Mapped[int]

    __table_args__ = (
        Index("ix_compliance_documents_updated", "updated_at", "id"),
        Index("ix_compliance_documents_organisation", "organisation", "updated_at", "id"),
        Index("ix_compliance_documents_review", "in_force", "review_on"),
        {"sqlite_autoincrement": True},
    )


class DocumentItem(Base):
    """An item of the catalogue that a document is about."""

    __tablename__ = "compliance_document_items"

    document_id: Mapped[int] = mapped_column(
        ForeignKey("compliance_documents.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    item: Mapped[str] = mapped_column(String(24), primary_key=True)

    __table_args__ = (Index("ix_compliance_document_items_item", "item", "document_id"),)


class EditionRow(Base):
    """An edition with its file, a sealed evidence package (operations.evidence); ``head`` the SM3 of its custody record's end.

    sm3, size  of the file as it was given; ``media`` of compliance.documents.media; ``change``: what is new
    """

    __tablename__ = "compliance_document_editions"

    id: Mapped[int] = mapped_column(_ID, primary_key=True)
    document_id: Mapped[int] = mapped_column(ForeignKey("compliance_documents.id", ondelete="CASCADE"))
    number: Mapped[int]
    label: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16))
    file_name: Mapped[str] = mapped_column(String(128))
    media: Mapped[str] = mapped_column(String(16))
    size: Mapped[int]
    sm3: Mapped[str] = mapped_column(String(64))
    head: Mapped[str] = mapped_column(String(64))
    change: Mapped[str] = mapped_column(Text)
    added_by: Mapped[str] = mapped_column(String(160))
    added_at: Mapped[str] = mapped_column(_MOMENT)
    approved_by: Mapped[str] = mapped_column(String(160))
    approved_at: Mapped[str] = mapped_column(_MOMENT)
    in_force_at: Mapped[str] = mapped_column(_MOMENT)
    withdrawn_at: Mapped[str] = mapped_column(_MOMENT)
    package: Mapped[bytes] = mapped_column(LargeBinary, nullable=False, deferred=True)

    __table_args__ = (
        UniqueConstraint("document_id", "number", name="uq_compliance_document_editions"),
        {"sqlite_autoincrement": True},
    )


class ReaderRow(Base):
    """Who has read which edition."""

    __tablename__ = "compliance_document_readers"

    edition_id: Mapped[int] = mapped_column(
        ForeignKey("compliance_document_editions.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(64))
    at: Mapped[str] = mapped_column(_MOMENT)


class DocumentReminder(Base):
    """A reminder of a review that went out. The primary key makes sending it a second time impossible."""

    __tablename__ = "compliance_document_reminders"

    document_id: Mapped[int] = mapped_column(
        ForeignKey("compliance_documents.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    review_on: Mapped[str] = mapped_column(String(10), primary_key=True)
    kind: Mapped[str] = mapped_column(String(8), primary_key=True)  # soon | overdue
    sent_at: Mapped[str] = mapped_column(_MOMENT)
