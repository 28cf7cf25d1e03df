"""Lists of risk: sorted, filtered, paged by key; a session sees what lies in its zones (operations.reach)."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from operations import clock
from operations.errors import Invalid, NotFound
from operations.reach import sees, zones_seen
from operations.risk import settings
from operations.risk.models import KINDS, RiskDay, RiskScore
from operations.risk.schema import BANDS, Reason, RiskDetail, RiskFilter, RiskPage, RiskRow, band_of

MAX_PAGE = 500
COUNT_LIMIT = 10_000
SORTS: dict[str, Any] = {
    "score": RiskScore.score,
    "delta": RiskScore.delta,
    "threat": RiskScore.threat,
    "exposure": RiskScore.exposure,
}
"""Sort name → column; each goes downwards, with ``-`` before it upwards."""
MOST_DAYS = 400
_CURSOR = re.compile(r"(-?[0-9]{1,6})~(.{1,128})", re.DOTALL)
_NUMBERS = ("exposure", "vulnerability", "threat", "importance")
_LIST = [column for column in RiskScore.__table__.c if column.name not in ("reasons", "digest")]


def list_risks(
    session: Session, where: RiskFilter = RiskFilter(), *, sort: str = "score", limit: int = 50, cursor: str = ""
) -> RiskPage:
    """One page. Raises Invalid for a sort, kind, band or cursor that is none."""
    name = sort.removeprefix("-")
    if name not in SORTS:
        raise Invalid(f"risks cannot be sorted by {name[:20]!r}", f"one of {', '.join(SORTS)}", field="sort")
    upwards = sort.startswith("-")
    limit = max(1, min(limit, MAX_PAGE))
    column = SORTS[name]
    bands = settings.get(session).value["bands"]
    query = select(*_LIST).where(*_conditions(where, bands), *within(session))
    if cursor:
        match = _CURSOR.fullmatch(cursor)
        if match is None:
            raise Invalid("the page cursor cannot be read", "start again from the first page", field="cursor")
        value, key = int(match[1]), match[2]
        beyond = column > value if upwards else column < value
        same = and_(column == value, RiskScore.key > key if upwards else RiskScore.key < key)
        query = query.where(or_(beyond, same))
    order = (column, RiskScore.key) if upwards else (column.desc(), RiskScore.key.desc())
    found = session.execute(query.order_by(*order).limit(limit + 1)).all()
    rows = [_row(row, bands) for row in found[:limit]]
    last = found[limit - 1] if len(found) > limit else None
    return RiskPage(rows, f"{getattr(last, column.key)}~{last.key}" if last is not None else "", hidden(session, where.kind))


def movers(session: Session, kind: str = "asset", *, limit: int = 8) -> list[RiskRow]:
    """Whose score rose most in seven days; only those that rose."""
    bands = settings.get(session).value["bands"]
    query = select(*_LIST).where(RiskScore.kind == kind, RiskScore.delta > 0, *within(session))
    query = query.order_by(RiskScore.delta.desc(), RiskScore.key.desc()).limit(limit)
    return [_row(row, bands) for row in session.execute(query)]


def of_subjects(session: Session, kind: str, keys: list[str]) -> dict[str, RiskRow]:
    """Key → risk of those assets or zones among ``keys`` that have one and may be seen."""
    if not keys:
        return {}
    bands = settings.get(session).value["bands"]
    query = select(*_LIST).where(RiskScore.kind == kind, RiskScore.key.in_(keys[:MAX_PAGE]), *within(session))
    return {row.key: _row(row, bands) for row in session.execute(query)}


def get(session: Session, kind: str, key: str, *, days: int = 30) -> RiskDetail:
    """One asset or zone with its reasons and days. Raises NotFound, also for what lies in a zone that may not be seen."""
    row = session.get(RiskScore, (kind, key))
    if row is None or not sees(session, row.zone):
        raise NotFound(f"no risk is known of {key[:128]}")
    reasons = msgspec.json.decode(row.reasons, type=list[Reason])
    return RiskDetail(_row(row, settings.get(session).value["bands"]), reasons, series(session, kind, [key], days)[key])


def series(session: Session, kind: str, keys: list[str], days: int = 14) -> dict[str, list[tuple[str, float]]]:
    """Key → day and score of the last ``days`` days up to today, oldest first; a day without a change is as the one before it."""
    today = clock.now()[:10]
    span = [_before(today, back) for back in range(min(days, MOST_DAYS) - 1, -1, -1)]
    known: dict[str, dict[str, int]] = {key: {} for key in keys}
    start: dict[str, int] = {}
    newest = select(RiskDay.key, func.max(RiskDay.day).label("day")).where(
        RiskDay.kind == kind, RiskDay.key.in_(keys), RiskDay.day < span[0]
    )
    chosen = newest.group_by(RiskDay.key).subquery()
    earlier = select(RiskDay.key, RiskDay.score).join(
        chosen, (RiskDay.key == chosen.c.key) & (RiskDay.day == chosen.c.day) & (RiskDay.kind == kind)
    )
    for key, score in session.execute(earlier):
        start[key] = score
    inside = select(RiskDay.key, RiskDay.day, RiskDay.score).where(
        RiskDay.kind == kind, RiskDay.key.in_(keys), RiskDay.day >= span[0]
    )
    for key, day, score in session.execute(inside):
        known[key][day] = score
    found: dict[str, list[tuple[str, float]]] = {}
    for key in keys:
        last, line = start.get(key, -1), []
        for day in span:
            last = known[key].get(day, last)
            if last >= 0:
                line.append((day, last / 10))
        found[key] = line
    return found


def bands(session: Session, kind: str) -> dict[str, int]:
    """How many have a risk of each band (counted along the index of scores; "low" only up to COUNT_LIMIT)."""
    limits = settings.get(session).value["bands"]
    found = {}
    for band in BANDS:
        inner = select(RiskScore.key).where(RiskScore.kind == kind, *_band(band, limits), *within(session)).limit(COUNT_LIMIT)
        found[band] = session.execute(select(func.count()).select_from(inner.subquery())).scalar_one()
    return found


def hidden(session: Session, kind: str) -> int:
    """How many this session may not see, counted up to COUNT_LIMIT."""
    seen = zones_seen(session)
    if seen is None:
        return 0
    inner = select(RiskScore.key).where(RiskScore.kind == kind, RiskScore.zone.not_in(sorted(seen))).limit(COUNT_LIMIT)
    return session.execute(select(func.count()).select_from(inner.subquery())).scalar_one()


def within(session: Session) -> list[ColumnElement[bool]]:
    """Only what lies in zones that this session may see."""
    seen = zones_seen(session)
    return [] if seen is None else [RiskScore.zone.in_(sorted(seen))]


def _conditions(where: RiskFilter, bands: dict[str, float]) -> list[ColumnElement[bool]]:
    if where.kind not in KINDS:
        raise Invalid(f"there is no kind {where.kind[:16]!r}", f"one of {', '.join(KINDS)}", field="kind")
    found: list[ColumnElement[bool]] = [RiskScore.kind == where.kind]
    if where.zone:
        found.append(RiskScore.zone == where.zone)
    if where.bureau:
        found.append(RiskScore.bureau == where.bureau)
    if where.band:
        if where.band not in BANDS:
            raise Invalid(f"there is no band {where.band[:16]!r}", f"one of {', '.join(BANDS)}", field="band")
        found += _band(where.band, bands)
    for word in where.text.casefold().split()[:8]:
        both = func.lower(RiskScore.key + " " + RiskScore.name)
        found.append(both.contains(word, autoescape=True))
    return found


def _band(band: str, limits: dict[str, float]) -> list[ColumnElement[bool]]:
    """The condition on the stored tenths."""
    place = BANDS.index(band)
    found: list[ColumnElement[bool]] = []
    if band != "low":
        found.append(RiskScore.score >= limits[band] * 10)
    if place:
        found.append(RiskScore.score < limits[BANDS[place - 1]] * 10)
    return found


def _before(day: str, back: int) -> str:
    return clock.shift(f"{day}T00:00:00.000000Z", -86_400 * back)[:10]


def _row(row: Any, bands: dict[str, float]) -> RiskRow:
    kept = {name: getattr(row, name) for name in ("kind", "key", "name", "zone", "bureau", "asset_kind", "open_alerts", "since")}
    return RiskRow(
        **kept,
        score=row.score / 10,
        band=band_of(bands, row.score / 10),
        **{name: getattr(row, name) / 100 for name in _NUMBERS},
        vulnerability_known=bool(row.vulnerability_known),
        baseline=row.baseline / 10,
        delta=row.delta / 10,
        computed_at=row.computed_at,
    )
