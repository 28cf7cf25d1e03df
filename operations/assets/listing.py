"""Lists of assets: filtered, sorted, paged by key; the rules of operations.alerts.listing hold (no OFFSET, no unbounded count).

A filter that few assets pass is resolved to their ids first, and these are sorted; one that many pass is checked while walking the
index of the order, which then soon fills a page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from operations.assets import rows
from operations.assets.models import AssetRow
from operations.assets.schema import AssetFilter, AssetPage, AssetRecord
from operations.errors import Invalid
from operations.reach import sees, zones_seen

SORTS: dict[str, tuple[ColumnElement[Any], bool]] = {
    "last_seen": (AssetRow.last_seen.expression, True),
    "first_seen": (AssetRow.first_seen.expression, True),
    "key": (AssetRow.key.expression, False),
    "importance": (AssetRow.importance.expression, True),
    "kind": (AssetRow.kind.expression, False),
}
"""Sort name → column, and whether it usually goes downwards."""

MAX_PAGE = 500
FEW = 2000
COUNT_LIMIT = 10_000
_CURSOR = re.compile(r"([0-9]{1,18})~(.{0,128})", re.DOTALL)


def list_assets(
    session: Session, where: AssetFilter = AssetFilter(), *, sort: str = "last_seen", limit: int = 50, cursor: str = ""
) -> AssetPage:
    """One page. ``sort`` is a name of SORTS, with ``-`` before it for the other direction. Raises Invalid."""
    name = sort.removeprefix("-")
    if name not in SORTS:
        raise Invalid(f"assets cannot be sorted by {name!r}", f"one of {', '.join(SORTS)}", field="sort")
    column, downwards = SORTS[name]
    downwards ^= sort.startswith("-")
    limit = max(1, min(limit, MAX_PAGE))
    few = _few_ids(session, where)
    query = select(AssetRow).where(_among(session, few)) if few is not None else _filtered(select(AssetRow), where, indexed=False)
    query = query.where(*within(session))
    if cursor:
        match = _CURSOR.fullmatch(cursor)
        if match is None:
            raise Invalid("the page cursor cannot be read", "start again from the first page", field="cursor")
        value: Any = int(match[2] or 0) if name == "importance" else match[2]
        row_id = int(match[1])
        beyond = column < value if downwards else column > value
        same = and_(column == value, AssetRow.id < row_id if downwards else AssetRow.id > row_id)
        query = query.where(or_(beyond, same))
    order = (column.desc(), AssetRow.id.desc()) if downwards else (column, AssetRow.id)
    found = list(session.execute(query.order_by(*order).limit(limit + 1)).scalars())
    page = [rows.record(row) for row in found[:limit]]
    return AssetPage(page, f"{page[-1].id}~{getattr(page[-1], name)}" if len(found) > limit else "")


def count_assets(session: Session, where: AssetFilter = AssetFilter()) -> int:
    """Number of assets that match, at most COUNT_LIMIT (which then means "that many or more")."""
    inner = _filtered(select(AssetRow.id), where).where(*within(session)).limit(COUNT_LIMIT).subquery()
    return session.execute(select(func.count()).select_from(inner)).scalar_one()


def facets(session: Session) -> dict[str, dict[str, int]]:
    """Number of assets per status, zone and kind."""
    found: dict[str, dict[str, int]] = {}
    for name in ("status", "zone", "kind", "bureau"):
        column = getattr(AssetRow, name)
        query = select(column, func.count()).where(*within(session)).group_by(column).order_by(func.count().desc()).limit(100)
        found[name] = dict(iter(session.execute(query)))
    return found


def count_by_zone(session: Session) -> dict[str, dict[str, int]]:
    """Zone → status → number of assets."""
    query = select(AssetRow.zone, AssetRow.status, func.count()).where(*within(session)).group_by(AssetRow.zone, AssetRow.status)
    found: dict[str, dict[str, int]] = {}
    for zone, status, number in session.execute(query):
        found.setdefault(zone, {})[status] = number
    return found


def of_keys(session: Session, keys: Sequence[str]) -> dict[str, AssetRecord]:
    """The assets that have these keys, by key."""
    query = select(AssetRow).where(AssetRow.key.in_(list(keys)[:MAX_PAGE]), *within(session))
    return {row.key: rows.record(row) for row in session.execute(query).scalars()}


def of_address(session: Session, address: str) -> AssetRecord | None:
    """The asset that has an address, or None."""
    owner = rows.owners(session, rows.marks_of((address,), (), ()))
    row = session.get(AssetRow, next(iter(owner.values()))) if owner else None
    return rows.record(row) if row is not None and sees(session, row.zone) else None


def within(session: Session) -> list[ColumnElement[bool]]:
    """Only assets in zones that this session may see; no condition for who may see all (operations.reach)."""
    zones = zones_seen(session)
    return [] if zones is None else [AssetRow.zone.in_(sorted(zones))]


def _few_ids(session: Session, where: AssetFilter) -> list[int] | None:
    """The ids of the matching assets where there are at most FEW; None for more, and for no filter at all."""
    if where == AssetFilter():
        return None
    found = list(session.execute(_filtered(select(AssetRow.id), where).limit(FEW + 1)).scalars())
    return found if len(found) <= FEW else None


def _among(session: Session, ids: list[int]) -> ColumnElement[bool]:
    """True for rows with one of ``ids``. SQLite takes them as one JSON text: thousands of parameters cost more than the query."""
    if session.get_bind().dialect.name != "sqlite":
        return AssetRow.id.in_(ids)
    return AssetRow.id.in_(select(func.json_each(json.dumps(ids)).table_valued("value").c.value))


def _filtered(query: Select[Any], where: AssetFilter, *, indexed: bool = True) -> Select[Any]:
    """``query`` with the filter; ``indexed`` False keeps the planner from its indexes, so that it walks that of the order."""
    for column, value in (
        (AssetRow.status, where.status),
        (AssetRow.zone, where.zone),
        (AssetRow.kind, where.kind),
        (AssetRow.bureau, where.bureau),
    ):
        if value:
            query = query.where((column if indexed else column.concat("")) == value)
    for word in where.text.casefold().split()[:8]:
        query = query.where(AssetRow.text.contains(word, autoescape=True))
    return query
