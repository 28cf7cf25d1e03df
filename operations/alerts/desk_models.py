"""Tables of the work on alerts: bulk acts, saved views, suppressions."""

from __future__ import annotations

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db.base import Base
from operations.alerts.models import RowId

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


class AlertView(Base):
    """A named filter of the queue.

    query  URL parameters of the queue, encoded
    scope  whose it is where it is shared: saved_views.scope_of
    """

    __tablename__ = "alert_views"

    slug: Mapped[str] = mapped_column(String(80), primary_key=True)
    owner_id: Mapped[int]
    owner: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(60))
    query: Mapped[str] = mapped_column(Text)
    shared: Mapped[bool]
    scope: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[str] = mapped_column(String(27))
    updated_at: Mapped[str] = mapped_column(String(27))
    version: Mapped[int]

    __table_args__ = (Index("ix_alert_views_owner", "owner_id", "name"), Index("ix_alert_views_scope", "scope", "shared", "name"))


class Suppression(Base):
    """Which new alerts stay out of the queue, until when and why.

    entities     JSON list of [kind, value], all of which an alert must name
    scope        who sees and lifts it (saved_views.scope_of)
    zones        JSON list of the zones that its maker could see, NULL = all
    critical_ot  ``no``; ``asked``: critical alerts of field zones, too, as soon as a security administrator agrees; ``released``
    hits         alerts that it kept out, ``last_hit_at`` the newest of them
    """

    __tablename__ = "alert_suppressions"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    rule_id: Mapped[str] = mapped_column(String(160))
    rule_name: Mapped[str] = mapped_column(String(512))
    entities: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    owner_id: Mapped[int]
    owner: Mapped[str] = mapped_column(String(64))
    scope: Mapped[str] = mapped_column(String(64))
    zones: Mapped[str | None] = mapped_column(Text)
    critical_ot: Mapped[str] = mapped_column(String(16))
    released_by: Mapped[str] = mapped_column(String(160))
    created_at: Mapped[str] = mapped_column(String(27))
    until: Mapped[str] = mapped_column(String(27))
    lifted_at: Mapped[str] = mapped_column(String(27))
    lifted_by: Mapped[str] = mapped_column(String(160))
    hits: Mapped[int]
    last_hit_at: Mapped[str] = mapped_column(String(27))
    version: Mapped[int]

    __table_args__ = (
        Index("ix_alert_suppressions_rule", "rule_id", "until"),
        Index("ix_alert_suppressions_until", "until", "id"),
        Index("ix_alert_suppressions_hits", "hits", "id"),
        Index("ix_alert_suppressions_last", "last_hit_at", "id"),
        {"sqlite_autoincrement": True},
    )
