"""Numbers such as SJ-2026-0007: one series a year (of the city's time), without gaps while nothing is rolled back."""

from __future__ import annotations

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from kernel.event import SHANGHAI
from operations import clock
from operations.incidents.models import IncidentNumber

INCIDENT, DRILL, REPORT = "SJ", "YL", "BG"


def next_number(session: Session, prefix: str) -> str:
    """The next number of a series in this year; drills (YL, 演练) have their own, so that no drill is taken for an incident."""
    year = clock.moment(clock.now()).astimezone(SHANGHAI).year
    series = f"{prefix}-{year}"
    make = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(make(IncidentNumber).values(series=series, last=0).on_conflict_do_nothing())  # two may be the year's first
    row = session.get_one(IncidentNumber, series, with_for_update=True, populate_existing=True)
    row.last += 1
    session.flush()
    return f"{series}-{row.last:04d}"
