"""Tables of operations reports. Days are those of Beijing, moments UTC text."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, Integer, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from kernel.db.base import Base

_Id = BigInteger().with_variant(Integer, "sqlite")
_MOMENT = String(27)


class OperationsReport(Base):
    """An issued report, never changed.

    organisation  "" = the city
    data          JSON of figures.Figures: what the files were made from
    manifest      the text that ``signature`` (SM2 with SM3, DER, hex) is over; ``certificate`` (PEM) of the key that signed
    """

    __tablename__ = "operations_reports"

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(8))
    first_day: Mapped[str] = mapped_column(String(10))
    organisation: Mapped[str] = mapped_column(String(128))
    language: Mapped[str] = mapped_column(String(2))
    origin: Mapped[str] = mapped_column(String(8))  # demand | schedule
    issued_at: Mapped[str] = mapped_column(_MOMENT)
    issued_by: Mapped[str] = mapped_column(String(160))
    manifest: Mapped[str] = mapped_column(Text)
    signature: Mapped[str] = mapped_column(Text)
    certificate: Mapped[str] = mapped_column(Text)
    data: Mapped[str] = mapped_column(Text, deferred=True)
    pdf: Mapped[bytes] = mapped_column(LargeBinary, nullable=False, deferred=True)
    docx: Mapped[bytes] = mapped_column(LargeBinary, nullable=False, deferred=True)
    xlsx: Mapped[bytes] = mapped_column(LargeBinary, nullable=False, deferred=True)

    __table_args__ = (
        Index("ix_operations_reports_organisation", "organisation", "id"),
        Index("ix_operations_reports_kind", "kind", "id"),
        Index("ix_operations_reports_issued", "issued_at"),
        {"sqlite_autoincrement": True},
    )


class ReportRun(Base):
    """That the scheduler made the report of a period. The primary key makes a second one impossible, whoever tries."""

    __tablename__ = "operations_report_runs"

    kind: Mapped[str] = mapped_column(String(8), primary_key=True)
    first_day: Mapped[str] = mapped_column(String(10), primary_key=True)
    organisation: Mapped[str] = mapped_column(String(128), primary_key=True)
    report_id: Mapped[int] = mapped_column(_Id)


class ReportSchedule(Base):
    """When reports of a kind are made: ``minute`` after the midnight (Beijing) that ends the period.

    each  also one for every organisation that owns zones
    """

    __tablename__ = "operations_report_schedules"

    kind: Mapped[str] = mapped_column(String(8), primary_key=True)
    enabled: Mapped[bool]
    minute: Mapped[int]
    each: Mapped[bool] = mapped_column("each_organisation")
    language: Mapped[str] = mapped_column(String(2))
    changed_at: Mapped[str] = mapped_column(_MOMENT)
    changed_by: Mapped[str] = mapped_column(String(160))
    version: Mapped[int]
