"""Tables of the work on alerts: bulk acts."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db.base import Base

BULK_STATES: tuple[str, ...] = ("draft", "waiting", "running", "done", "interrupted")
BULK_KINDS: tuple[str, ...] = ("change", "undo")


class AlertBulk(Base):
    """One act on many alerts. Its parts are done one by one, each in a transaction with ``done_parts``: after a crash it goes on.

    zones      JSON list of the zones that its person could see, NULL = all
    undoes     id of the bulk that it takes back, "" = none
    overtaken  alerts that somebody changed after the list was made: left alone, the first of them in ``named`` (JSON list of ids)
    digest     SM3 of the list, "id:version" joined by spaces, in hex
    """

    __tablename__ = "alert_bulks"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    owner: Mapped[str] = mapped_column(String(64))
    actor: Mapped[str] = mapped_column(String(160))
    address: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(16))
    change: Mapped[str] = mapped_column(Text)
    note: Mapped[str] = mapped_column(Text)
    zones: Mapped[str | None] = mapped_column(Text)
    undoes: Mapped[str] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(16))
    total: Mapped[int]
    parts: Mapped[int]
    done_parts: Mapped[int]
    changed: Mapped[int]
    unchanged: Mapped[int]
    overtaken: Mapped[int]
    missing: Mapped[int]
    named: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))
    problem: Mapped[str] = mapped_column(Text)
    created_at: Mapped[str] = mapped_column(String(27))
    updated_at: Mapped[str] = mapped_column(String(27))
    finished_at: Mapped[str | None] = mapped_column(String(27))

    __table_args__ = (
        Index("ix_alert_bulks_state", "state", "updated_at"),
        Index("ix_alert_bulks_owner", "owner", "created_at"),
    )


class AlertBulkPart(Base):
    """A part of the list of a bulk: JSON list of [alert id, version it was decided on]."""

    __tablename__ = "alert_bulk_parts"

    bulk_id: Mapped[str] = mapped_column(String(32), ForeignKey("alert_bulks.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    items: Mapped[str] = mapped_column(Text)
