"""The table of confirmations."""

from __future__ import annotations

from sqlalchemy import Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db.base import Base


class ConfirmationRow(Base):
    """A field that was compared (compliance.catalogue.confirmed). A withdrawn one is gone; the audit trail has it."""

    __tablename__ = "catalogue_confirmations"

    record: Mapped[str] = mapped_column(String(32), primary_key=True)
    field: Mapped[str] = mapped_column(String(32), primary_key=True)
    value: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    confirmed_by: Mapped[str] = mapped_column(String(160))
    confirmed_at: Mapped[str] = mapped_column(String(27))
    version: Mapped[int] = mapped_column(Integer)
