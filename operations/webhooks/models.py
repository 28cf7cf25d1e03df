"""Tables of webhooks: targets, the outbox, and the log of attempts."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db.base import Base

_Id = BigInteger().with_variant(Integer, "sqlite")


class WebhookTarget(Base):
    """Where notifications go.

    kind           name of its channel (channels.registry)
    sealed_secret  under the master key (crypto.secret): the signing secret, or what credentials.py packs together
    settings       what else its kind needs, as JSON
    routing        rules and quiet hours (routing.Routing) as JSON
    failures       rounds since the last success: from breaker.AFTER on the target is paused
    ready_at       nothing is sent before this moment; "" = at once
    """

    __tablename__ = "webhook_targets"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(128))
    url: Mapped[str] = mapped_column(String(2048))
    sealed_secret: Mapped[str] = mapped_column(Text)
    min_level: Mapped[str] = mapped_column(String(16))
    enabled: Mapped[bool]
    created_at: Mapped[str] = mapped_column(String(27))
    created_by: Mapped[str] = mapped_column(String(160))
    version: Mapped[int] = mapped_column(default=1)
    kind: Mapped[str] = mapped_column(String(16), default="standard")
    settings: Mapped[str] = mapped_column(Text, default="{}")
    routing: Mapped[str] = mapped_column(Text, default="{}")
    failures: Mapped[int] = mapped_column(default=0)
    ready_at: Mapped[str] = mapped_column(String(27), default="")


class WebhookDelivery(Base):
    """One message for one target. Written in the transaction of its cause; ``message_id`` stays the same over all attempts.

    level  what it counts as for routing; "" = nothing (and of messages older than this column)
    """

    __tablename__ = "webhook_deliveries"

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    target_id: Mapped[int] = mapped_column(ForeignKey("webhook_targets.id", ondelete="CASCADE"))
    message_id: Mapped[str] = mapped_column(String(64))
    event_type: Mapped[str] = mapped_column(String(64))
    body: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(String(16))  # pending | delivered | dead
    attempts: Mapped[int]
    due_at: Mapped[str] = mapped_column(String(27))
    created_at: Mapped[str] = mapped_column(String(27))
    finished_at: Mapped[str | None] = mapped_column(String(27))
    level: Mapped[str] = mapped_column(String(16), default="", server_default="")

    __table_args__ = (
        Index("ix_webhook_deliveries_due", "target_id", "status", "due_at", "id"),
        Index("ix_webhook_deliveries_target", "target_id", "id"),
        Index("ix_webhook_deliveries_log", "target_id", "status", "id"),
        Index("ix_webhook_deliveries_status", "status", "id"),
    )


class WebhookAttempt(Base):
    """One try: what the other side answered (first bytes), or why there was no answer."""

    __tablename__ = "webhook_attempts"

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    delivery_id: Mapped[int] = mapped_column(ForeignKey("webhook_deliveries.id", ondelete="CASCADE"), index=True)
    time: Mapped[str] = mapped_column(String(27))
    milliseconds: Mapped[int]
    status_code: Mapped[int | None]
    error: Mapped[str] = mapped_column(String(512))
    answer: Mapped[str] = mapped_column(Text)
