"""The table of indicators."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db.base import Base

_ID = BigInteger().with_variant(Integer, "sqlite")


class IndicatorRow(Base):
    """One value as one origin tells it.

    key          SM3 of kind, value and origin: a value stands once for each origin
    revoked_at   @timestamp text, "" = not revoked; what is revoked or has ended is kept for those who look back
    """

    __tablename__ = "indicators"

    id: Mapped[int] = mapped_column(_ID, primary_key=True)
    key: Mapped[str] = mapped_column(String(64), unique=True)
    kind: Mapped[str] = mapped_column(String(16))
    value: Mapped[str] = mapped_column(String(2048))
    origin: Mapped[str] = mapped_column(String(64))
    confidence: Mapped[int]
    tlp: Mapped[str] = mapped_column(String(16))
    note: Mapped[str] = mapped_column(Text)
    reference: Mapped[str] = mapped_column(Text)
    valid_until: Mapped[str] = mapped_column(String(27))
    revoked_at: Mapped[str] = mapped_column(String(27))
    revoked_by: Mapped[str] = mapped_column(String(160))
    created_at: Mapped[str] = mapped_column(String(27))
    created_by: Mapped[str] = mapped_column(String(160))
    changed_at: Mapped[str] = mapped_column(String(27))
    version: Mapped[int]

    __table_args__ = (
        Index("ix_indicators_value", "value"),
        Index("ix_indicators_origin", "origin", "id"),
        Index("ix_indicators_kind", "kind", "id"),
        Index("ix_indicators_end", "valid_until", "id"),
        Index("ix_indicators_changed", "changed_at", "id"),
        {"sqlite_autoincrement": True},
    )
