"""Deadlines by hypothesis, against datetime arithmetic."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from kernel.event import timestamp
from operations.warnings.deadlines import STATES, due, overdue, state

MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))
HOURS = st.one_of(st.integers(1, 24 * 366), st.floats(0.05, 24 * 366, allow_nan=False))
DONE = st.one_of(st.none(), MOMENTS)


def text(moment: datetime | None) -> str | None:
    return None if moment is None else timestamp(moment)


@given(MOMENTS, HOURS)
def test_a_deadline_is_that_many_hours_later(sent: datetime, hours: float) -> None:
    found = datetime.fromisoformat(due(timestamp(sent), hours))
    assert abs(found - (sent + timedelta(hours=hours))) <= timedelta(microseconds=1)


@given(MOMENTS, st.integers(1, 24 * 366), st.integers(0, 24 * 366), st.integers(-3, 3))
def test_late_is_what_lies_behind_the_deadline(sent: datetime, hours: int, more: int, microseconds: int) -> None:
    receipt, feedback = due(timestamp(sent), hours), due(timestamp(sent), hours + more)
    moment = sent + timedelta(hours=hours, microseconds=microseconds)
    late = overdue(receipt, feedback, None, None, timestamp(moment))
    assert ("receipt" in late) == (microseconds > 0)  # at the very moment nothing is late
    assert ("feedback" in late) == (microseconds > 0 and more == 0)


@given(MOMENTS, st.integers(1, 999), st.integers(0, 999), DONE, DONE, MOMENTS)
def test_the_state_agrees_with_what_is_late(
    sent: datetime, hours: int, more: int, received: datetime | None, answered: datetime | None, present: datetime
) -> None:
    answered = answered if received is not None else None  # nobody answers before signing
    dues = due(timestamp(sent), hours), due(timestamp(sent), hours + more)
    late = overdue(*dues, text(received), text(answered), timestamp(present))
    found = state(*dues, text(received), text(answered), timestamp(present))
    assert found in STATES
    assert (found == "done") == (answered is not None)
    assert (found in ("unreceived", "unanswered")) == bool(late) if answered is None else late == ()
    if received is None:
        assert found in ("waiting", "unreceived")
        assert (found == "unreceived") == (present > sent + timedelta(hours=hours))
    elif answered is None:
        assert (found == "unanswered") == (present > sent + timedelta(hours=hours + more))


@given(MOMENTS, st.integers(1, 999), st.integers(0, 999), MOMENTS, st.timedeltas(timedelta(0), timedelta(days=400)))
def test_what_is_late_stays_late(sent: datetime, hours: int, more: int, present: datetime, later: timedelta) -> None:
    dues = due(timestamp(sent), hours), due(timestamp(sent), hours + more)
    now = overdue(*dues, None, None, timestamp(present))
    then = overdue(*dues, None, None, timestamp(present + later))
    assert set(now) <= set(then)
