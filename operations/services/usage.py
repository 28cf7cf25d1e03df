"""What was metered: a row an organisation and day (of Beijing)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db.base import Base


class Usage(Base):
    """``events`` that concern a zone of the organisation, and their ``bytes`` as stored (their number times the mean of the store).

    permits       in force at the end of the day
    certificates  issued on the day
    searches      in the events, by people, keys and schedules of the organisation
    """

    __tablename__ = "service_usage"

    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    bureau: Mapped[str] = mapped_column(String(128), primary_key=True)
    events: Mapped[int] = mapped_column(BigInteger)
    bytes: Mapped[int] = mapped_column(BigInteger)
    permits: Mapped[int]
    certificates: Mapped[int]
    searches: Mapped[int] = mapped_column(server_default="0")
    metered_at: Mapped[str] = mapped_column(String(27))

    __table_args__ = (Index("ix_service_usage_bureau", "bureau", "day"),)
