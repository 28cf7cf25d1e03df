"""Tables of triggers: what each waits for, how far it has looked, and what it has started last."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db import Base

KINDS: tuple[str, ...] = ("alert", "incident", "warning", "schedule", "webhook")
_ID = BigInteger().with_variant(Integer, "sqlite")


class PlaybookTrigger(Base):
    """One trigger.

    condition         JSON object, as ``conditions`` reads it for this kind
    variables         JSON object: external variable → text with fields in braces (``templates``)
    throttle_seconds  it starts nothing for the same entity again before so long; 0 = always
    most_per_hour     further starts within an hour are counted only
    author            who wrote its present definition: somebody else has to switch it on
    mark              id of the last alert, timeline entry or act of a warning that it has looked at
    due_at            for the kind schedule: when it starts the next one (@timestamp text), "" = not
    hour_start        since when ``hour_count`` starts are counted
    started …         how often what happened: ``throttled`` the entity had its run, ``limited`` beyond the hour, ``looped`` it came
                      of a run that had itself come of a run, ``failed`` the playbook could not be started (``last_error``)
    """

    __tablename__ = "playbook_triggers"

    id: Mapped[int] = mapped_column(_ID, primary_key=True)
    name: Mapped[str] = mapped_column(String(128))
    playbook_id: Mapped[str] = mapped_column(ForeignKey("playbooks.playbook_id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(16))
    condition: Mapped[str] = mapped_column(Text)
    variables: Mapped[str] = mapped_column(Text)
    throttle_seconds: Mapped[int]
    most_per_hour: Mapped[int]
    enabled: Mapped[bool] = mapped_column(Boolean)
    author: Mapped[str] = mapped_column(String(160))
    enabled_by: Mapped[str] = mapped_column(String(160))
    mark: Mapped[int] = mapped_column(BigInteger)
    due_at: Mapped[str] = mapped_column(String(27))
    hour_start: Mapped[str] = mapped_column(String(27))
    hour_count: Mapped[int]
    started: Mapped[int] = mapped_column(BigInteger)
    throttled: Mapped[int] = mapped_column(BigInteger)
    limited: Mapped[int] = mapped_column(BigInteger)
    looped: Mapped[int] = mapped_column(BigInteger)
    failed: Mapped[int] = mapped_column(BigInteger)
    last_at: Mapped[str] = mapped_column(String(27))
    last_run_id: Mapped[int | None] = mapped_column(_ID)
    last_error: Mapped[str] = mapped_column(Text)
    created_at: Mapped[str] = mapped_column(String(27))
    updated_at: Mapped[str] = mapped_column(String(27))
    revision: Mapped[int]

    __table_args__ = (
        Index("ix_playbook_triggers_enabled", "enabled", "kind"),
        Index("ix_playbook_triggers_playbook", "playbook_id", "id"),
        {"sqlite_autoincrement": True},
    )


class TriggerFiring(Base):
    """The last run that a trigger started for an entity (``host:web1``, ``incident:7``): what throttling goes by."""

    __tablename__ = "playbook_firings"

    trigger_id: Mapped[int] = mapped_column(
        ForeignKey("playbook_triggers.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    entity: Mapped[str] = mapped_column(String(600), primary_key=True)
    playbook_id: Mapped[str] = mapped_column(String(160))
    run_id: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[str] = mapped_column(String(27))

    __table_args__ = (
        Index("ix_playbook_firings_entity", "playbook_id", "entity"),
        Index("ix_playbook_firings_at", "at"),
    )
