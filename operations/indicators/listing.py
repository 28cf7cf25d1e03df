"""Pages of indicators, and how often each was met."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from operations import clock
from operations.alerts.entities import MAX_VALUE as MAX_ENTITY
from operations.alerts.entities import normalise
from operations.alerts.models import Alert, AlertEntity
from operations.errors import Invalid, NotFound
from operations.indicators.models import IndicatorRow
from operations.indicators.schema import Hits, IndicatorFilter, IndicatorPage, IndicatorRecord
from operations.indicators.service import record_of

MAX_PAGE = 500
_LONG = (IndicatorRow.kind == "url", func.length(IndicatorRow.value) > MAX_ENTITY)
"""Only URLs are longer than what an alert keeps of an entity."""
_COUNTED = 100_000


def list_indicators(
    session: Session, where: IndicatorFilter = IndicatorFilter(), *, limit: int = 50, cursor: str = ""
) -> IndicatorPage:
    """Newest first. ``cursor`` comes from the page before; raises Invalid where it does not."""
    limit, present = max(1, min(limit, MAX_PAGE)), clock.now()
    query = select(IndicatorRow).where(*_conditions(where, present))
    if cursor:
        if not cursor.isdecimal() or len(cursor) > 18:
            raise Invalid("the page cursor cannot be read", "start again from the first page", field="cursor")
        query = query.where(IndicatorRow.id < int(cursor))
    found = list(session.execute(query.order_by(IndicatorRow.id.desc()).limit(limit + 1)).scalars())
    rows = [record_of(row, present) for row in found[:limit]]
    return IndicatorPage(rows, hits_of(session, [row.value for row in rows]), str(rows[-1].id) if len(found) > limit else "")


def get_indicator(session: Session, number: int) -> IndicatorRecord:
    """One of them. Raises NotFound."""
    row = session.get(IndicatorRow, number)
    if row is None:
        raise NotFound(f"there is no indicator {number}")
    return record_of(row, clock.now())


def with_value(session: Session, value: str) -> list[IndicatorRecord]:
    """All that have this value, of whatever origin; the surest first."""
    query = select(IndicatorRow).where(IndicatorRow.value == value).order_by(IndicatorRow.confidence.desc(), IndicatorRow.id)
    present = clock.now()
    return [record_of(row, present) for row in session.execute(query.limit(50)).scalars()]


def known(session: Session, values: Sequence[str]) -> dict[str, IndicatorRecord]:
    """Value → the surest indicator of it that holds now."""
    present = clock.now()
    query = select(IndicatorRow).where(IndicatorRow.value.in_(list(values)[:MAX_PAGE]), *_active(present))
    rows = session.execute(query.order_by(IndicatorRow.confidence)).scalars()
    return {row.value: record_of(row, present) for row in rows}


def hits_of(session: Session, values: Sequence[str]) -> dict[str, Hits]:
    """Value → how it was met, for those that were."""
    met = {value: normalise("indicator", value) for value in values}
    if not met:
        return {}
    query = (
        select(AlertEntity.value, func.count(), func.sum(Alert.count), func.min(Alert.first_seen), func.max(Alert.last_seen))
        .join(Alert, Alert.id == AlertEntity.alert_id)
        .where(AlertEntity.kind == "indicator", AlertEntity.value.in_(list(set(met.values()))))
        .group_by(AlertEntity.value)
    )
    found = {row[0]: Hits(row[1], int(row[2]), row[3], row[4]) for row in session.execute(query)}
    return {value: found[entity] for value, entity in met.items() if entity in found}


def counts(session: Session) -> dict[str, int]:
    """How many hold of each kind (up to a bound), and of all the number of those that were met as ``met``."""
    inner = select(IndicatorRow.kind).where(*_active(clock.now())).limit(_COUNTED).subquery()
    found = {row[0]: row[1] for row in session.execute(select(inner.c.kind, func.count()).group_by(inner.c.kind))}
    met = select(func.count(AlertEntity.value.distinct())).where(AlertEntity.kind == "indicator")
    return found | {"met": session.execute(met).scalar_one()}


def origins(session: Session) -> list[str]:
    """Who says so, by name; each found by one look into the index."""
    found: list[str] = []
    while len(found) < 200:
        query = select(func.min(IndicatorRow.origin)).where(IndicatorRow.origin > (found[-1] if found else ""))
        following = session.execute(query).scalar_one()
        if following is None:
            break
        found.append(following)
    return found


def _active(present: str) -> tuple[ColumnElement[bool], ...]:
    return (IndicatorRow.revoked_at == "", IndicatorRow.valid_until > present)


def _conditions(where: IndicatorFilter, present: str) -> list[ColumnElement[bool]]:
    found = [column == value for column, value in ((IndicatorRow.kind, where.kind), (IndicatorRow.origin, where.origin)) if value]
    if where.state == "active":
        found += _active(present)
    elif where.state == "expired":
        found += [IndicatorRow.revoked_at == "", IndicatorRow.valid_until <= present]
    elif where.state == "revoked":
        found.append(IndicatorRow.revoked_at != "")
    if where.text:
        found.append(func.lower(IndicatorRow.value).contains(where.text.lower(), autoescape=True))
    if where.met:
        met = select(AlertEntity.value).where(AlertEntity.kind == "indicator")
        found.append(or_(IndicatorRow.value.in_(met), and_(*_LONG, func.substr(IndicatorRow.value, 1, MAX_ENTITY).in_(met))))
    return found
