"""Arithmetic of periods: against the calendar of the standard library, over borders of years, months and the UTC day."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.errors import Invalid
from operations.reports.periods import KINDS, due_at, holding, last_complete, today
from operations.reports.schedule import newest_due

DAYS = st.dates(date(2001, 1, 1), date(2199, 12, 31))
KIND = st.sampled_from(KINDS)
EAST = timezone(timedelta(hours=8))


@given(KIND, DAYS)
def test_periods_follow_each_other_without_gap_or_overlap(kind: str, day: date) -> None:
    period = holding(kind, day)
    assert period.first <= day < period.end
    assert holding(kind, period.end).before == period
    assert period.before.bounds[1] == period.bounds[0]
    length = (period.end - period.first).days
    assert length == {"daily": 1, "weekly": 7, "monthly": calendar.monthrange(day.year, day.month)[1]}[kind]
    assert kind != "weekly" or period.first.isoweekday() == 1
    assert kind != "monthly" or period.first.day == 1


@given(KIND, DAYS)
def test_bounds_are_midnights_in_beijing(kind: str, day: date) -> None:
    period = holding(kind, day)
    for text, wanted in zip(period.bounds, (period.first, period.end), strict=True):
        assert datetime.fromisoformat(text).astimezone(EAST).replace(tzinfo=None) == datetime(wanted.year, wanted.month, wanted.day)


@given(KIND, st.datetimes(datetime(2001, 1, 1), datetime(2199, 12, 31)), st.integers(0, 1439))
def test_the_newest_due_period_is_due_and_the_next_one_is_not(kind: str, moment: datetime, minute: int) -> None:
    now = moment.replace(tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    found = newest_due(kind, minute, now)
    assert due_at(found, minute) <= now < due_at(holding(kind, found.end), minute)


def test_the_border_of_a_year() -> None:
    eve = "2026-12-31T15:59:59.999999Z"
    assert today(eve) == date(2026, 12, 31)
    assert today("2026-12-31T16:00:00.000000Z") == date(2027, 1, 1)
    assert last_complete("monthly", "2026-12-31T16:00:00.000000Z").label == "2026-12"
    assert holding("weekly", date(2027, 1, 1)).label == "2026-12-28 – 2027-01-03"
    assert holding("monthly", date(2024, 2, 29)).bounds == ("2024-01-31T16:00:00.000000Z", "2024-02-29T16:00:00.000000Z")


@pytest.mark.parametrize(
    ("kind", "day"), [("hourly", date(2026, 1, 1)), ("daily", date(1999, 12, 31)), ("daily", date(9999, 12, 31))]
)
def test_what_is_no_period(kind: str, day: date) -> None:
    with pytest.raises(Invalid):
        holding(kind, day)
