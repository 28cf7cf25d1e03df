"""The table of what holds a rule's detections back."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db.base import Base

KINDS: tuple[str, ...] = ("exception", "off")
STATES: tuple[str, ...] = ("proposed", "active", "refused", "withdrawn", "lifted", "expired")
_Id = BigInteger().with_variant(Integer, "sqlite")


class RuleMeasure(Base):
    """An exception of a rule, or its being off; both are proposed, take effect, and end.

    conditions     JSON list of {field, operator, value}; [] for ``off``
    owner          user name of who answers for it
    expires_at     NULL = it does not end by itself (only ``off``)
    source_alert   the alert it was proposed from
    proposer_id    id of the account that proposed it: never the one that decides
    true_positives  how many true positives of the last 30 days it would have hidden when it was approved, NULL = not approved
    """

    __tablename__ = "rule_measures"

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16))
    rule_id: Mapped[str] = mapped_column(String(160))
    rule_name: Mapped[str] = mapped_column(String(512))
    level: Mapped[str] = mapped_column(String(16))
    conditions: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    owner: Mapped[str] = mapped_column(String(64))
    expires_at: Mapped[str | None] = mapped_column(String(27))
    source_alert: Mapped[int | None] = mapped_column(BigInteger)
    proposer_id: Mapped[int]
    proposed_by: Mapped[str] = mapped_column(String(160))
    proposed_at: Mapped[str] = mapped_column(String(27))
    decided_by: Mapped[str] = mapped_column(String(160), default="")
    decided_at: Mapped[str | None] = mapped_column(String(27))
    decision: Mapped[str] = mapped_column(Text, default="")
    true_positives: Mapped[int | None]
    ended_by: Mapped[str] = mapped_column(String(160), default="")
    ended_at: Mapped[str | None] = mapped_column(String(27))
    ending: Mapped[str] = mapped_column(Text, default="")
    version: Mapped[int] = mapped_column(default=1)

    __table_args__ = (
        Index("ix_rule_measures_state", "state", "id"),
        Index("ix_rule_measures_rule", "rule_id", "id"),
        {"sqlite_autoincrement": True},
    )
