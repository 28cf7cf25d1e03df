"""Times of playbooks."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from playbooks.timestamps import is_of_milliseconds, read_timestamp


def test_times_are_utc_and_exact_to_the_microsecond() -> None:
    assert read_timestamp("2026-11-27T06:30:00.1234567Z") == datetime(2026, 11, 27, 6, 30, 0, 123456, tzinfo=UTC)
    assert read_timestamp("2016-12-31T23:59:60Z") == datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert is_of_milliseconds("2026-11-27T06:30:00.123Z")
    assert not is_of_milliseconds("2026-11-27T06:30:00Z")


@pytest.mark.parametrize(
    "text", ["", "2026-11-27", "2026-11-27T06:30:00+08:00", "2026-11-27t06:30:00z", "2026-02-30T00:00:00Z", "2026-11-27T06:30:00.Z"]
)
def test_other_texts_are_no_times(text: str) -> None:
    with pytest.raises(ValueError, match="is no time"):
        read_timestamp(text)
