"""Shifts, gaps and who is called next: arithmetic against slow and plain oracles."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.event import timestamp
from operations.duty.coverage import gaps, next_person, overlap
from operations.duty.shifts import DAY_MINUTES, PROPOSED, Shift, bounds, check, day_of, minutes_of, today
from operations.errors import Invalid

START = datetime(2026, 11, 26, tzinfo=UTC)


def at(minute: int) -> str:
    return timestamp(START + timedelta(minutes=minute))


spans = st.lists(st.tuples(st.integers(-50, 150), st.integers(1, 60)), max_size=8)


@given(spans)
def test_gaps_are_the_minutes_that_nobody_covers(found: list[tuple[int, int]]) -> None:
    covered = {minute for begin, length in found for minute in range(begin, begin + length)}
    empty = gaps([(at(begin), at(begin + length)) for begin, length in found], at(0), at(100))
    told = {minute for minute in range(100) if any(begin <= at(minute) < end for begin, end in empty)}
    assert told == set(range(100)) - covered
    assert all(one[1] < other[0] for one, other in pairwise(empty))


@given(st.tuples(st.integers(0, 50), st.integers(1, 50)), st.tuples(st.integers(0, 50), st.integers(1, 50)))
def test_overlap_is_a_shared_minute(one: tuple[int, int], other: tuple[int, int]) -> None:
    shared = set(range(one[0], sum(one))) & set(range(other[0], sum(other)))
    assert overlap((at(one[0]), at(sum(one))), (at(other[0]), at(sum(other)))) == bool(shared)


def test_the_proposed_shifts_cover_the_day() -> None:
    check(PROPOSED)
    day = date(2026, 2, 28)
    (first, middle), (begin, end) = bounds(day, PROPOSED[0]), bounds(day, PROPOSED[1])
    assert (first, middle) == ("2026-02-28T00:30:00.000000Z", "2026-02-28T12:30:00.000000Z")
    assert begin == middle
    assert end == bounds(date(2026, 3, 1), PROPOSED[0])[0]
    assert sum(shift.length for shift in PROPOSED) == DAY_MINUTES
    assert (PROPOSED[1].begins, PROPOSED[1].ends) == ("20:30", "08:30")


@given(st.lists(st.tuples(st.integers(0, DAY_MINUTES - 1), st.integers(30, 600)), min_size=1, max_size=4))
def test_shifts_that_overlap_are_refused(found: list[tuple[int, int]]) -> None:
    minutes = [minute % DAY_MINUTES for start, length in found for minute in range(start, start + length)]
    wanted = [Shift(f"s{number}", "班", "", *one) for number, one in enumerate(found)]
    if len(minutes) == len(set(minutes)):
        check(wanted)
    else:
        with pytest.raises(Invalid):
            check(wanted)


@pytest.mark.parametrize(
    "wanted",
    [
        [],
        [Shift("A", "x", "", 0, 60)],
        [Shift("a", " ", "", 0, 60)],
        [Shift("a", "x", "", 0, 29)],
        [Shift("a", "x", "", -1, 60)],
        [Shift("a", "x", "", 0, 60), Shift("a", "y", "", 100, 60)],
        [Shift(f"s{number}", "x", "", number * 60, 60) for number in range(7)],
    ],
)
def test_shifts_that_are_none(wanted: list[Shift]) -> None:
    with pytest.raises(Invalid):
        check(wanted)


@pytest.mark.parametrize("text", ["", "2026-2-1", "2026-02-30", "1999-01-01", "2026-02-01T00:00", "２０２６-01-01", "=1+1"])
def test_days_that_are_none(text: str) -> None:
    with pytest.raises(Invalid):
        day_of(text)


@pytest.mark.parametrize("text", ["24:00", "8:30", "08:60", "0830", "", "08:30\n"])
def test_times_that_are_none(text: str) -> None:
    with pytest.raises(Invalid):
        minutes_of(text)


def test_the_day_is_that_of_beijing() -> None:
    assert today("2026-11-25T16:00:00.000000Z") == date(2026, 11, 26)
    assert minutes_of("08:30") == 510


@pytest.mark.parametrize(
    ("on", "coming", "after", "caller", "told"),
    [
        (["a", "b"], ["c"], "a", "a", "b"),
        (["a", "b"], ["c"], "b", "b", "c"),
        (["a", "b"], ["c"], "c", "a", None),
        (["a", "b"], ["c"], "x", "x", "a"),
        ([], ["c"], "x", "x", "c"),
        ([], [], "x", "x", None),
        (["a", "b"], [], "b", "b", None),
        (["a", "b"], ["a", "c"], "b", "b", "c"),
        (["a", "b", "c"], [], "a", "b", "c"),
    ],
)
def test_who_is_called_next(on: list[str], coming: list[str], after: str, caller: str, told: str | None) -> None:
    assert next_person(on, coming, after, caller) == told
