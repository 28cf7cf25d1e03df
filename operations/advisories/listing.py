"""Lists of advisories and of their matches, limited to the assets that a session may see."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import case, exists, func, select, tuple_
from sqlalchemy.orm import Session
from sqlalchemy.sql import ColumnElement

from operations import clock
from operations.advisories.models import NO_DUE, AdvisoryMatch, AdvisoryRow
from operations.advisories.schema import Advisory, AdvisoryFilter, AdvisoryPage, Match
from operations.assets import listing as assets
from operations.assets.models import AssetRow
from operations.errors import Invalid, NotFound
from operations.reach import zones_seen

MAX_PAGE = 200
MAX_MATCHES = 500
_CURSOR = re.compile(r"([01]?[0-9]{4}-[0-9]{2}-[0-9]{2})~([0-9]{1,18})")


def list_advisories(
    session: Session, where: AdvisoryFilter = AdvisoryFilter(), *, limit: int = 50, cursor: str = ""
) -> AdvisoryPage:
    """One page: with open matches before those without, what is due first. Raises Invalid.

    Who sees some zones only gets the order of the days alone: the other order would tell of assets of others.
    """
    limit = max(1, min(limit, MAX_PAGE))
    order: Any = AdvisoryRow.rank if zones_seen(session) is None else AdvisoryRow.due
    query = select(AdvisoryRow).where(*_conditions(session, where))
    if cursor:
        match = _CURSOR.fullmatch(cursor)
        if match is None:
            raise Invalid("the page cursor cannot be read", "start again from the first page", field="cursor")
        query = query.where(tuple_(order, AdvisoryRow.id) > tuple_(match[1], int(match[2])))
    rows = list(session.execute(query.order_by(order, AdvisoryRow.id).limit(limit + 1)).scalars())
    page = rows[:limit]
    counts = _counts(session, [row.id for row in page])
    last = page[-1] if len(rows) > limit else None
    return AdvisoryPage(
        [_record(row, counts.get(row.id, (0, 0))) for row in page],
        f"{last.rank if zones_seen(session) is None else last.due}~{last.id}" if last is not None else "",
    )


def get(session: Session, key: str) -> Advisory:
    """By its key or by an alias number. Raises NotFound."""
    row = session.execute(select(AdvisoryRow).where(AdvisoryRow.key == key[:128])).scalar_one_or_none()
    if row is None:
        raise NotFound(f"there is no advisory {key[:128]}")
    return _record(row, _counts(session, [row.id]).get(row.id, (0, 0)))


def of_id(session: Session, number: int) -> Advisory:
    """By its number here. Raises NotFound."""
    row = session.get(AdvisoryRow, number)
    if row is None:
        raise NotFound(f"there is no advisory {number}")
    return _record(row, _counts(session, [row.id]).get(row.id, (0, 0)))


def match(session: Session, number: int) -> Match:
    """One match. Raises NotFound, also for an asset that this session does not see."""
    found = _matches(session, [AdvisoryMatch.id == number], 1)
    if not found:
        raise NotFound(f"there is no match {number}")
    return found[0]


def matches(session: Session, advisory_id: int, *, limit: int = MAX_MATCHES) -> list[Match]:
    """The assets that it concerns, open and affected ones first."""
    return _matches(session, [AdvisoryMatch.advisory_id == advisory_id], limit)


def of_asset(session: Session, asset_id: int, *, limit: int = 100) -> list[Match]:
    """The advisories that concern an asset."""
    return _matches(session, [AdvisoryMatch.asset_id == asset_id], limit)


def facets(session: Session) -> dict[str, dict[str, int]]:
    """Numbers of advisories: of KEV, with ransomware, affected here; per vendor (of those affected here) and state."""
    flags = {
        "kev": AdvisoryRow.kev,
        "ransomware": AdvisoryRow.ransomware,
        "affected": _with_match(session, AdvisoryMatch.state == "open", AdvisoryMatch.verdict != "fixed"),
    }
    found: dict[str, dict[str, int]] = {"flags": {}}
    for name, condition in flags.items():
        found["flags"][name] = session.execute(select(func.count()).select_from(AdvisoryRow).where(condition)).scalar_one()
    per_vendor = select(AdvisoryRow.vendor, func.count()).where(AdvisoryRow.vendor != "").group_by(AdvisoryRow.vendor)
    found["vendor"] = dict(iter(session.execute(per_vendor.order_by(func.count().desc(), AdvisoryRow.vendor).limit(20))))
    states = select(AdvisoryMatch.state, func.count(AdvisoryMatch.advisory_id.distinct()))
    states = states.join(AssetRow, AssetRow.id == AdvisoryMatch.asset_id).where(*assets.within(session))
    found["state"] = dict(iter(session.execute(states.group_by(AdvisoryMatch.state))))
    return found


def match_record(row: AdvisoryMatch, advisory: AdvisoryRow, asset: AssetRow) -> Match:
    """As shown."""
    names = orjson.loads(asset.names)
    return Match(
        row.id, advisory.key, advisory.id, advisory.title, asset.key, asset.name or (names[0] if names else ""), asset.zone,
        asset.bureau, asset.importance, row.verdict, orjson.loads(row.reason), row.state, row.note, row.expires_at, row.created_at,
        row.changed_at, row.changed_by, row.version,
    )  # fmt: skip


def _matches(session: Session, conditions: Sequence[ColumnElement[bool]], limit: int) -> list[Match]:
    query = select(AdvisoryMatch, AdvisoryRow, AssetRow).join(AdvisoryRow, AdvisoryRow.id == AdvisoryMatch.advisory_id)
    query = query.join(AssetRow, AssetRow.id == AdvisoryMatch.asset_id).where(*conditions, *assets.within(session))
    order = (
        case({"open": 0, "accepted": 1, "fixed": 2}, value=AdvisoryMatch.state, else_=3),
        case({"affected": 0, "possibly": 1}, value=AdvisoryMatch.verdict, else_=2),
        AdvisoryRow.due,
        AdvisoryMatch.id,
    )
    return [match_record(*row) for row in session.execute(query.order_by(*order).limit(min(limit, MAX_MATCHES))).all()]


def _with_match(session: Session, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    inner = exists().where(AdvisoryMatch.advisory_id == AdvisoryRow.id, *conditions)
    scope = assets.within(session)
    return inner.where(AssetRow.id == AdvisoryMatch.asset_id, *scope) if scope else inner


def _counts(session: Session, ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """Open matches of what this session sees: affected, possible."""
    sums = [func.sum(case((AdvisoryMatch.verdict == verdict, 1), else_=0)) for verdict in ("affected", "possibly")]
    query = select(AdvisoryMatch.advisory_id, *sums).join(AssetRow, AssetRow.id == AdvisoryMatch.asset_id)
    query = query.where(AdvisoryMatch.advisory_id.in_(ids), AdvisoryMatch.state == "open", *assets.within(session))
    return {row[0]: (int(row[1]), int(row[2])) for row in session.execute(query.group_by(AdvisoryMatch.advisory_id))}


def _conditions(session: Session, where: AdvisoryFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if where.kev:
        found.append(AdvisoryRow.kev.expression)
    if where.ransomware:
        found.append(AdvisoryRow.ransomware.expression)
    if where.vendor:
        found.append(AdvisoryRow.vendor == where.vendor)
    if where.affected or where.overdue:
        found.append(_with_match(session, AdvisoryMatch.state == "open", AdvisoryMatch.verdict != "fixed"))
    if where.overdue:
        found.append(AdvisoryRow.due < clock.now()[:10])
    if where.state:
        found.append(_with_match(session, AdvisoryMatch.state == where.state))
    return found + [AdvisoryRow.text.contains(word, autoescape=True) for word in where.text.casefold().split()[:8]]


def _record(row: AdvisoryRow, counts: tuple[int, int]) -> Advisory:
    due = "" if row.due == NO_DUE else row.due
    return Advisory(
        row.id, row.key, row.title, row.summary, row.vendor, row.product, row.kev, row.ransomware, row.cvss, row.published,
        row.kev_added, due, row.action, orjson.loads(row.aliases), sorted(orjson.loads(row.sources)), counts[0], counts[1],
        bool(due) and due < clock.now()[:10] and any(counts), row.version,
    )  # fmt: skip
