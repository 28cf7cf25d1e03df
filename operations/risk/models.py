"""Tables of risk. Scores are tenths of a point, factors hundredths: whole numbers, which a page's cursor names exactly."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db.base import Base

KINDS: tuple[str, ...] = ("zone", "asset")


class RiskScore(Base):
    """Risk of a zone (``key`` is its id) or an asset (its key) as it was last computed.

    baseline  the score of the day ``since``: seven days ago, or the first known one; ``delta`` is what was added since
    reasons   JSON list of schema.Reason; ``digest`` of all columns tells whether a computation changed anything
    """

    __tablename__ = "risk_scores"

    kind: Mapped[str] = mapped_column(String(8), primary_key=True)
    key: Mapped[str] = mapped_column(String(128), primary_key=True)
    name: Mapped[str] = mapped_column(String(256))
    zone: Mapped[str] = mapped_column(String(64))
    bureau: Mapped[str] = mapped_column(String(128))
    asset_kind: Mapped[str] = mapped_column(String(64))
    score: Mapped[int]
    exposure: Mapped[int]
    vulnerability: Mapped[int]
    threat: Mapped[int]
    importance: Mapped[int]
    vulnerability_known: Mapped[bool]
    open_alerts: Mapped[int]
    baseline: Mapped[int]
    since: Mapped[str] = mapped_column(String(10))
    delta: Mapped[int]
    reasons: Mapped[str] = mapped_column(Text)
    digest: Mapped[int] = mapped_column(BigInteger)
    computed_at: Mapped[str] = mapped_column(String(27))

    __table_args__ = (
        Index("ix_risk_scores_score", "kind", "score", "key"),
        Index("ix_risk_scores_zone", "kind", "zone", "score", "key"),
        Index("ix_risk_scores_bureau", "kind", "bureau", "score", "key"),
        Index("ix_risk_scores_delta", "kind", "delta", "key"),
        Index("ix_risk_scores_threat", "kind", "threat", "key"),
        Index("ix_risk_scores_exposure", "kind", "exposure", "key"),
    )


class RiskDay(Base):
    """First (``opened``) and last score of a day (UTC) on which it changed; a day without a row is as the day before."""

    __tablename__ = "risk_days"

    kind: Mapped[str] = mapped_column(String(8), primary_key=True)
    key: Mapped[str] = mapped_column(String(128), primary_key=True)
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    opened: Mapped[int]
    score: Mapped[int]

    __table_args__ = (Index("ix_risk_days_day", "day"),)


class RiskSetting(Base):
    """The numbers as this site decided; without a row standard.yml holds. ``value`` is JSON."""

    __tablename__ = "risk_settings"

    name: Mapped[str] = mapped_column(String(16), primary_key=True)
    value: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(String(512))
    to_be_confirmed: Mapped[bool]
    changed_at: Mapped[str] = mapped_column(String(27))
    changed_by: Mapped[str] = mapped_column(String(160))
    version: Mapped[int]
