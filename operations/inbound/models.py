"""Tables of inbound webhooks: sources, how often what happened to their messages, and ids of messages that were taken."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db.base import Base

_Id = BigInteger().with_variant(Integer, "sqlite")


class InboundSource(Base):
    """A system that may raise alerts.

    public_id        part of its address; says nothing about the row
    sealed_secret    signing secret ``whsec_…`` under the master key
    sealed_previous  the one before it, good until ``previous_until``; "" = none
    organisation     owner of ``zone``, "" = the operator
    zone             the zone that its alerts belong to; "" = none: only people without a scope see them
    max_level        what claims to be higher is taken down to this
    rate             messages a minute
    allowance        messages that may come at once, as of ``allowance_at``; grows back to ``rate`` within a minute
    """

    __tablename__ = "inbound_sources"

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(128))
    sealed_secret: Mapped[str] = mapped_column(Text)
    sealed_previous: Mapped[str] = mapped_column(Text)
    previous_until: Mapped[str] = mapped_column(String(27))
    organisation: Mapped[str] = mapped_column(String(128))
    zone: Mapped[str] = mapped_column(String(64))
    max_level: Mapped[str] = mapped_column(String(16))
    enabled: Mapped[bool]
    rate: Mapped[int]
    allowance: Mapped[float]
    allowance_at: Mapped[str] = mapped_column(String(27))
    created_at: Mapped[str] = mapped_column(String(27))
    created_by: Mapped[str] = mapped_column(String(160))
    version: Mapped[int]

    __table_args__ = ({"sqlite_autoincrement": True},)


class InboundCount(Base):
    """How many messages of a source ended in one way (schema.OUTCOMES), and when the last did ("" = none yet)."""

    __tablename__ = "inbound_counts"

    source_id: Mapped[int] = mapped_column(
        _Id, ForeignKey("inbound_sources.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    outcome: Mapped[str] = mapped_column(String(16), primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)
    last_at: Mapped[str] = mapped_column(String(27))


class InboundMessage(Base):
    """A message that was taken. It is forgotten after receiving.KEPT_SECONDS."""

    __tablename__ = "inbound_messages"

    source_id: Mapped[int] = mapped_column(
        _Id, ForeignKey("inbound_sources.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    message_id: Mapped[str] = mapped_column(String(256), primary_key=True)
    seen_at: Mapped[str] = mapped_column(String(27))

    __table_args__ = (Index("ix_inbound_messages_seen", "seen_at"),)
