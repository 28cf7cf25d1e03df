"""Tables of saved searches and of what the scheduled ones found."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db.base import Base

_ID = BigInteger().with_variant(Integer, "sqlite")


class SavedSearch(Base):
    """A query of the hunt page under a name.

    span        relative time range such as ``24h``; "" = any time
    columns     comma-separated, "" = the usual ones
    scope       whose it is where it is shared: operations.alerts.saved_views.scope_of
    every       seconds between two runs, 0 = by hand only
    threshold   a window with more hits than this raises an alert
    settle      seconds that a window waits for late events
    done_until  end of the last window that was looked at
    next_due    when the next window is complete; NULL where nothing is due
    failures    runs in a row that gave no answer
    stopped     why it does not run any more, "" = it runs (or was never scheduled)
    """

    __tablename__ = "saved_searches"

    id: Mapped[int] = mapped_column(_ID, primary_key=True)
    owner_id: Mapped[int]
    owner: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(60))
    query: Mapped[str] = mapped_column(Text)
    span: Mapped[str] = mapped_column(String(8))
    columns: Mapped[str] = mapped_column(Text)
    shared: Mapped[bool]
    scope: Mapped[str] = mapped_column(String(64))
    every: Mapped[int]
    threshold: Mapped[int]
    level: Mapped[str] = mapped_column(String(16))
    settle: Mapped[int]
    done_until: Mapped[str] = mapped_column(String(27))
    next_due: Mapped[str | None] = mapped_column(String(27))
    failures: Mapped[int]
    stopped: Mapped[str] = mapped_column(Text)
    created_at: Mapped[str] = mapped_column(String(27))
    updated_at: Mapped[str] = mapped_column(String(27))
    version: Mapped[int]

    __table_args__ = (
        Index("ix_saved_searches_owner", "owner_id", "name"),
        Index("ix_saved_searches_scope", "scope", "shared", "name"),
        Index("ix_saved_searches_due", "next_due"),
        {"sqlite_autoincrement": True},
    )


class SearchRun(Base):
    """One window of a scheduled search; ``error`` "" where it was answered, ``alert_id`` where it raised an alert."""

    __tablename__ = "search_runs"

    id: Mapped[int] = mapped_column(_ID, primary_key=True)
    search_id: Mapped[int] = mapped_column(ForeignKey("saved_searches.id", ondelete="CASCADE"))
    start: Mapped[str] = mapped_column(String(27))
    end: Mapped[str] = mapped_column("end_at", String(27))
    hits: Mapped[int]
    milliseconds: Mapped[int]
    error: Mapped[str] = mapped_column(Text)
    alert_id: Mapped[int | None] = mapped_column(_ID)
    at: Mapped[str] = mapped_column(String(27))

    __table_args__ = (Index("ix_search_runs_search", "search_id", "id"),)
