"""Spans counted by the database are those that Python counts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import create_engine, literal, null, select
from sqlalchemy.engine import Engine

from kernel.db.moments import seconds_between
from kernel.event import timestamp
from tests.postgresql_server import running_postgresql

MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31), timezones=st.just(UTC))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    if request.param == "sqlite":
        yield create_engine("sqlite://")
        return
    shared: Path = request.getfixturevalue("shared")
    with running_postgresql(shared, tmp_path_factory.mktemp("pg")) as url:
        made = create_engine(url)
        yield made
        made.dispose()


@given(start=MOMENTS, end=MOMENTS)
def test_the_span_is_right_to_the_millisecond(engine: Engine, start: datetime, end: datetime) -> None:
    with engine.connect() as connection:
        found = connection.execute(select(seconds_between(literal(timestamp(start)), literal(timestamp(end))))).scalar_one()
    assert found == pytest.approx((end - start).total_seconds(), abs=0.002)


def test_a_moment_that_is_not_there_makes_no_span(engine: Engine) -> None:
    with engine.connect() as connection:
        end = literal("2026-11-26T00:00:00.000000Z")
        assert connection.execute(select(seconds_between(null(), end))).scalar_one() is None
