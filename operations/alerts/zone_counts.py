"""Numbers of alerts by the zones that they name, kept up to date in the transaction that changes the alerts.

Who sees some zones only sees an alert where it names one of them; one that names two would count twice in a sum over zones. So
there is a number for each set of zones that alerts have named together: few sets, and sums over those that hold a zone are exact.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import literal_column, select
from sqlalchemy.orm import Session

from kernel.db.among import among
from kernel.db.batch import add_up
from operations.alerts.models import AlertEntity, AlertZoneCount
from operations.alerts.schema import UNASSIGNED, AlertFilter
from operations.reach import zones_seen

MANY = 5_000
"""Rows that a page reads at most: with more of them alerts are counted one by one instead."""

_TABLE: Any = AlertZoneCount.__table__
_KEY = ("dimension", "value", "status", "level", "zones")
Counts = Mapping[tuple[str, str, str], int]
"""Numbers by status, level and assignee ("" where nobody asks for it)."""


class ZoneDeltas:
    """Changes to the numbers of one transaction, written once at its end."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, ...]] = Counter()

    def add(self, zones: Iterable[str], alert: Mapping[str, Any], step: int = 1) -> None:
        """Count an alert (columns of models.Alert) that names ``zones`` in, or out with ``step`` -1; one without a zone is none."""
        named = sorted(set(zones))
        if named:
            at = (alert["status"], alert["level"], orjson.dumps(named).decode())
            self._counts["all", "", *at] += step
            self._counts["assignee", alert["assignee"] or UNASSIGNED, *at] += step

    def write(self, session: Session) -> None:
        """Add the changes to the table; sorted, so that parallel writers lock rows in one order."""
        rows = [(*key, step) for key, step in sorted(self._counts.items()) if step]
        add_up(session.connection(), _TABLE, _KEY, ("count",), rows)


def move(session: Session, changes: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> None:
    """Count changed alerts (before, after; columns as in models.Alert) anew."""
    moved = [(old, new) for old, new in changes if any(old[name] != new[name] for name in ("status", "level", "assignee"))]
    if not moved:
        return
    zones, deltas = zones_of(session, [old["id"] for old, _ in moved]), ZoneDeltas()
    for old, new in moved:
        deltas.add(zones.get(old["id"], ()), old, -1)
        deltas.add(zones.get(old["id"], ()), new)
    deltas.write(session)


def zones_of(session: Session, ids: Collection[int]) -> dict[int, list[str]]:
    """The zones that alerts name; none for those that name none."""
    zone = AlertEntity.kind == literal_column("'zone'")  # a constant: PostgreSQL has an index of zones only
    query = select(AlertEntity.alert_id, AlertEntity.value).where(zone, among(session, AlertEntity.alert_id, sorted(ids)))
    found: dict[int, list[str]] = {}
    for alert_id, value in session.execute(query):
        found.setdefault(alert_id, []).append(value)
    return found


def counts_seen(session: Session, where: AlertFilter, *, by_assignee: bool = False) -> Counts | None:
    """Numbers of what matches in the zones of this session. None where it sees all, or where the numbers do not tell: they know
    status, level and assignee.

    by_assignee  with the assignee as the third part, else "" stands there
    """
    zones = zones_seen(session)
    if zones is None or where != AlertFilter(status=where.status, level=where.level, assignee=where.assignee):
        return None
    snapshot: dict[Any, Counts | None] = session.info.get("snapshot", {})
    key = ("alert_zone_counts", where, by_assignee)
    if key not in snapshot:
        snapshot[key] = _sum(session, zones, where, by_assignee)
    return snapshot[key]


def _sum(session: Session, zones: frozenset[str], where: AlertFilter, by_assignee: bool) -> Counts | None:
    table = AlertZoneCount
    named = by_assignee or bool(where.assignee)
    query = select(table.zones, table.status, table.level, table.value, table.count)
    query = query.where(table.dimension == ("assignee" if named else "all")).limit(MANY + 1)
    for column, values in ((table.status, where.status), (table.level, where.level), (table.value, where.assignee)):
        if values:
            query = query.where(column.in_(values))
    rows = session.execute(query).all()
    if len(rows) > MANY:
        return None
    seen = {text for text in {row[0] for row in rows} if not zones.isdisjoint(orjson.loads(text))}
    counts: Counter[tuple[str, str, str]] = Counter()
    for text, status, level, value, number in rows:
        if text in seen:
            counts[status, level, value if by_assignee else ""] += number
    return counts
