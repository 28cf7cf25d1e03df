"""The samples of a rule's alerts, read in bounded numbers: the newest, and those with a verdict through their own index."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from operations.alerts.listing import among, within
from operations.alerts.models import Alert, AlertSample

CHUNK = 500
_ALERTS = Alert.__table__


class Row(msgspec.Struct, frozen=True):
    """An alert without its sample."""

    id: int
    last_seen: str
    status: str
    verdict: str | None
    count: int


class Sample(msgspec.Struct, frozen=True):
    """The event that an alert began with, and the group of a correlation."""

    event: dict[str, Any]
    group: dict[str, str]


def rows_of(session: Session, rule_id: str, limit: int, *, start: str = "", verdicts: Sequence[str] = ()) -> list[Row]:
    """The newest ``limit`` alerts of a rule (with one of ``verdicts``) whose last event is not before ``start``."""
    columns = [_ALERTS.c[name] for name in ("id", "last_seen", "status", "verdict", "count")]
    found: list[Row] = []
    for verdict in verdicts or ("",):
        query = select(*columns).where(_ALERTS.c.rule_id == rule_id, _ALERTS.c.last_seen >= start, *within(session))
        if verdict:
            query = query.where(_ALERTS.c.verdict == verdict)
        query = query.order_by(_ALERTS.c.last_seen.desc(), _ALERTS.c.id.desc()).limit(limit)
        found += [Row(*row) for row in session.execute(query)]
    found.sort(key=lambda row: (row.last_seen, row.id), reverse=True)
    return found[:limit]


def samples_of(session: Session, rows: Sequence[Row]) -> Iterator[tuple[Row, Sample]]:
    """Each row with its sample, a few hundred at a time; a row without one is left out."""
    for start in range(0, len(rows), CHUNK):
        part = {row.id: row for row in rows[start : start + CHUNK]}
        query = select(AlertSample.alert_id, AlertSample.event, AlertSample.rule)
        query = query.join(_ALERTS, _ALERTS.c.id == AlertSample.alert_id).where(among(session, sorted(part)))
        for alert_id, event, rule in session.execute(query):
            yield part[alert_id], Sample(orjson.loads(event), orjson.loads(rule).get("group") or {})
