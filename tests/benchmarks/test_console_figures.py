"""What the benchmark of the console prints is what it says."""

from __future__ import annotations

import pytest

from benchmarks.console import LEAST_CALLS, percentile


@pytest.mark.parametrize(
    ("values", "expected"),
    [(range(1, 101), 95), (range(1, 21), 19), (range(20, 0, -1), 19), ([7], 7), ([1, 9], 9)],
)
def test_the_95th_percentile_is_a_value_that_95_of_100_do_not_exceed(values: list[float], expected: float) -> None:
    assert percentile(list(values)) == expected


def test_of_as_many_calls_as_are_made_it_is_not_the_slowest() -> None:
    assert percentile([1.0] * (LEAST_CALLS - 1) + [1000.0]) == 1
