"""How quick the city is: MTTD, MTTA, MTTC, MTTR over the incidents of a period, and how many drills it held."""

from __future__ import annotations

import statistics
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from operations import clock
from operations.incidents.models import Incident
from operations.incidents.places import within
from operations.incidents.schema import Metrics, Times

_NO_INCIDENT = ("false_alarm", "duplicate")


def metrics(session: Session, start: str = "", end: str = "") -> Metrics:
    """Over incidents detected from ``start`` up to ``end`` ("" = open) that this session may see.

    False alarms, merged incidents and drills are left out; a time counts only where both its moments are known.
    """
    period = [Incident.detected_at >= start] if start else []
    period += [Incident.detected_at < end] if end else []
    columns = (Incident.occurred_at, Incident.detected_at, Incident.acknowledged_at, Incident.contained_at, Incident.resolved_at)
    real = select(*columns).where(Incident.drill.is_(False), Incident.cause.not_in(_NO_INCIDENT), *period, *within(session))
    rows = session.execute(real).all()
    drills = select(func.count()).select_from(Incident).where(Incident.drill.is_(True), *period, *within(session))
    return Metrics(
        incidents=len(rows),
        drills=session.execute(drills).scalar_one(),
        detect=_times(rows, "occurred_at", "detected_at"),
        acknowledge=_times(rows, "detected_at", "acknowledged_at"),
        contain=_times(rows, "detected_at", "contained_at"),
        resolve=_times(rows, "detected_at", "resolved_at"),
    )


def _times(rows: Any, first: str, last: str) -> Times:
    spans = [
        max(0.0, (clock.moment(getattr(row, last)) - clock.moment(getattr(row, first))).total_seconds())
        for row in rows
        if getattr(row, first) and getattr(row, last)
    ]
    if not spans:
        return Times(0, None, None)
    return Times(len(spans), round(statistics.fmean(spans), 1), round(statistics.median(spans), 1))
