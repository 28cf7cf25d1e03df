"""Numbers such as SJ-2026-0007: one series a year (of the city's time), without gaps while nothing is rolled back."""

from __future__ import annotations

from sqlalchemy.orm import Session

from kernel.event import SHANGHAI
from operations import clock
from operations.incidents.models import IncidentNumber

INCIDENT, DRILL, REPORT = "SJ", "YL", "BG"


def next_number(session: Session, prefix: str) -> str:
    """The next number of a series in this year; drills (YL, 演练) have their own, so that no drill is taken for an incident."""
    year = clock.moment(clock.now()).astimezone(SHANGHAI).year
    series = f"{prefix}-{year}"
    row = session.get(IncidentNumber, series, with_for_update=True, populate_existing=True)
    if row is None:
        row = IncidentNumber(series=series, last=0)
        session.add(row)
    row.last += 1
    session.flush()
    return f"{series}-{row.last:04d}"
