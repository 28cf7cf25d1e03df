"""Tables of the audit trail. Triggers of the migrations refuse UPDATE and DELETE on all but ``audit_head`` and ``audit_copies``.

Only entries that ``audit_head.purged`` covers can be deleted: their age allows it, and their leaves stay in ``audit_nodes``.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Integer, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db.base import Base

_ID = BigInteger().with_variant(Integer, "sqlite")


class AuditEntry(Base):
    """One act; entry ``id`` is leaf ``id - 1`` of the tree. ``detail`` is canonical JSON.

    digest    its leaf hash, hex; before ``audit_head.tree_from``: the chain's digest (operations.audit.entry)
    previous  "" ; before ``tree_from``: the digest of the entry before
    """

    __tablename__ = "audit_entries"

    id: Mapped[int] = mapped_column(_ID, primary_key=True, autoincrement=False)
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
    """The end of the tree (one row): its size, root and peaks. The lock that makes appenders queue in PostgreSQL.

    tree_from   first entry that was written as a leaf; those before were chained, their leaves were computed at ``tree_since``
    purged      entries up to this one were removed by age
    """

    __tablename__ = "audit_head"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last_id: Mapped[int] = mapped_column(BigInteger)
    digest: Mapped[str] = mapped_column(String(64))
    peaks: Mapped[bytes] = mapped_column(LargeBinary, server_default=text("''"))
    tree_from: Mapped[int] = mapped_column(BigInteger, server_default=text("1"))
    tree_since: Mapped[str] = mapped_column(String(27), server_default=text("''"))
    purged: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))


class AuditNode(Base):
    """A complete subtree: leaves ``place * 2^level`` up to ``(place + 1) * 2^level - 1``, the first leaf being 0."""

    __tablename__ = "audit_nodes"

    level: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    place: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))

    __table_args__ = {"sqlite_with_rowid": False}


class AuditKey(Base):
    """A public key that signs heads of trees larger than ``from_size``, until the next one does.

    endorsed_by, endorsement  the key before it (for the first: itself) and its signature over operations.audit.keys.statement
    """

    __tablename__ = "audit_keys"

    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    id: Mapped[str] = mapped_column(String(32), unique=True)
    public: Mapped[str] = mapped_column(Text)
    time: Mapped[str] = mapped_column(String(27))
    from_size: Mapped[int] = mapped_column(BigInteger)
    endorsed_by: Mapped[str] = mapped_column(String(32))
    endorsement: Mapped[str] = mapped_column(Text)


class AuditSignedHead(Base):
    """A signed tree head: ``signature`` (SM2 with SM3, DER, base64) over operations.audit.heads.statement."""

    __tablename__ = "audit_signed_heads"

    size: Mapped[int] = mapped_column(_ID, primary_key=True, autoincrement=False)
    root: Mapped[str] = mapped_column(String(64))
    time: Mapped[str] = mapped_column(String(27))
    key_id: Mapped[str] = mapped_column(String(32))
    signature: Mapped[str] = mapped_column(Text)

    __table_args__ = (Index("ix_audit_signed_heads_time", "time"),)


class AuditCopy(Base):
    """How far the heads have reached a place outside of the database: ``file``, ``syslog`` or ``webhook``."""

    __tablename__ = "audit_copies"

    place: Mapped[str] = mapped_column(String(16), primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    time: Mapped[str] = mapped_column(String(27))
    error: Mapped[str] = mapped_column(String(512))
