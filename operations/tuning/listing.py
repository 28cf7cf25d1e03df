"""Lists of exceptions and switched-off rules."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from operations.errors import Invalid, NotFound
from operations.tuning.measures import record_of
from operations.tuning.models import RuleMeasure
from operations.tuning.schema import MeasurePage, MeasureRecord

MAX_PAGE = 500
_COUNTED = 100


def list_measures(
    session: Session, *, states: Sequence[str] = (), rule_id: str = "", kind: str = "", limit: int = 50, cursor: str = ""
) -> MeasurePage:
    """Newest first. ``cursor`` comes from the page before; raises Invalid where it does not."""
    limit = max(1, min(limit, MAX_PAGE))
    query = select(RuleMeasure).order_by(RuleMeasure.id.desc()).limit(limit + 1)
    if states:
        query = query.where(RuleMeasure.state.in_(states))
    if rule_id:
        query = query.where(RuleMeasure.rule_id == rule_id)
    if kind:
        query = query.where(RuleMeasure.kind == kind)
    if cursor:
        if not cursor.isdecimal() or len(cursor) > 18:
            raise Invalid("the page cursor cannot be read", "start again from the first page", field="cursor")
        query = query.where(RuleMeasure.id < int(cursor))
    rows = [record_of(row) for row in session.execute(query).scalars()]
    return MeasurePage(rows[:limit], str(rows[limit - 1].id) if len(rows) > limit else "")


def get_measure(session: Session, measure_id: int) -> MeasureRecord:
    """One of them. Raises NotFound."""
    row = session.get(RuleMeasure, measure_id)
    if row is None:
        raise NotFound(f"there is no exception {measure_id}")
    return record_of(row)


def in_force(session: Session, rule_ids: Sequence[str] | None = None) -> dict[str, list[MeasureRecord]]:
    """Rule id → what is in force for it; for all rules, or for these."""
    query = select(RuleMeasure).where(RuleMeasure.state == "active").order_by(RuleMeasure.id)
    if rule_ids is not None:
        query = query.where(RuleMeasure.rule_id.in_(rule_ids))
    found: dict[str, list[MeasureRecord]] = {}
    for row in session.execute(query).scalars():
        found.setdefault(row.rule_id, []).append(record_of(row))
    return found


def count_proposed(session: Session) -> int:
    """How many wait for a decision, counted up to a hundred."""
    inner = select(RuleMeasure.id).where(RuleMeasure.state == "proposed").limit(_COUNTED).subquery()
    return int(session.execute(select(func.count()).select_from(inner)).scalar_one())
