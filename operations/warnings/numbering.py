"""〔year〕第 N 号: numbers of a year without a gap and without a double.

The counter is a row that the publication locks; it moves with the publication or, where that is rolled back, not at all.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from kernel.event import SHANGHAI
from operations import clock
from operations.warnings.models import WarningNumber


def next_number(session: Session, moment: str) -> tuple[int, int]:
    """Year (of Beijing time) and number for what is published at ``moment``; in the caller's write transaction."""
    year = clock.moment(moment).astimezone(SHANGHAI).year
    dialect = session.get_bind().dialect.name
    make = postgresql.insert if dialect == "postgresql" else sqlite.insert
    session.execute(make(WarningNumber).values(year=year, last=0).on_conflict_do_nothing())
    query = select(WarningNumber).where(WarningNumber.year == year).with_for_update().execution_options(populate_existing=True)
    row = session.execute(query).scalar_one()
    row.last += 1
    session.flush()
    return year, row.last


def told(year: int | None, number: int | None, edition: int = 1) -> str:
    """``〔2026〕第 3 号``, ``〔2026〕第 3 号（第 2 版）`` after an adjustment, "" before publication."""
    if year is None or number is None:
        return ""
    return f"〔{year}〕第 {number} 号" + (f"（第 {edition} 版）" if edition > 1 else "")
