"""When a trigger that goes by the clock starts next, in the time of Shanghai."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.event import SHANGHAI, timestamp
from operations import clock
from playbooks.triggers.conditions import DAYS, ScheduleCondition
from playbooks.triggers.schedule import next_due


def _local(text: str) -> str:
    return clock.moment(text).astimezone(SHANGHAI).strftime("%a %Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    ("condition", "after", "due"),
    [
        (ScheduleCondition(at="03:30"), "2026-11-27T19:29:59.000000Z", "Sat 2026-11-28 03:30"),
        (ScheduleCondition(at="03:30"), "2026-11-27T19:30:00.000000Z", "Sun 2026-11-29 03:30"),
        (ScheduleCondition(at="00:00"), "2026-12-31T15:59:59.000000Z", "Fri 2027-01-01 00:00"),
        (ScheduleCondition(at="09:00", days=["mon"]), "2026-11-27T10:00:00.000000Z", "Mon 2026-11-30 09:00"),
        (ScheduleCondition(at="09:00", days=["fri"]), "2026-11-27T01:00:00.000000Z", "Fri 2026-12-04 09:00"),
        (ScheduleCondition(every_minutes=15), "2026-11-27T10:07:00.000000Z", "Fri 2026-11-27 18:15"),
        (ScheduleCondition(every_minutes=90), "2026-11-27T15:50:00.000000Z", "Sat 2026-11-28 00:00"),
    ],
)
def test_the_next_moment(condition: ScheduleCondition, after: str, due: str) -> None:
    assert _local(next_due(condition, after)) == due


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1)),
    st.integers(0, 23),
    st.integers(0, 59),
    st.lists(st.sampled_from(DAYS), unique=True),
)
def test_it_lies_ahead_and_on_one_of_the_days(moment: datetime, hour: int, minute: int, days: list[str]) -> None:
    after = timestamp(moment.replace(tzinfo=UTC))
    due = next_due(ScheduleCondition(at=f"{hour:02d}:{minute:02d}", days=days), after)  # type: ignore[arg-type]
    assert after < due <= clock.shift(after, 7 * 86_400)
    local = clock.moment(due).astimezone(SHANGHAI)
    assert (local.hour, local.minute) == (hour, minute)
    assert not days or DAYS[local.weekday()] in days


@given(st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1)), st.integers(5, 1_440))
def test_every_so_many_minutes_counts_from_midnight(moment: datetime, every: int) -> None:
    after = timestamp(moment.replace(tzinfo=UTC))
    due = next_due(ScheduleCondition(every_minutes=every), after)
    assert after < due <= clock.shift(after, every * 60)
