"""The table of answers that were taken: by it an answer that is sent twice counts once."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db.base import Base

_ID = BigInteger().with_variant(Integer, "sqlite")


class AnswerRow(Base):
    """An answer. ``key`` was chosen by whoever sent it; ``version`` of the verdict that it made; ``taken_at``: when it arrived."""

    __tablename__ = "compliance_answers"

    system_id: Mapped[int] = mapped_column(ForeignKey("mlps_systems.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    judged_by: Mapped[str] = mapped_column(String(160))
    item: Mapped[str] = mapped_column(String(24))
    object_id: Mapped[int] = mapped_column(_ID)
    version: Mapped[int]
    taken_at: Mapped[str] = mapped_column(String(27))
