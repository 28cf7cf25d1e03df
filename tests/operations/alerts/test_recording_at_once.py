"""Several workers record at once on a real PostgreSQL: what belongs together becomes one alert, and nobody ends in a deadlock."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import func, select, text

from kernel.db import Database, open_database, upgrade
from kernel.detection import Detection
from operations.alerts.models import Alert
from operations.alerts.service import record_detections
from tests.postgresql_server import running_postgresql

Make = Callable[..., Detection]


@pytest.fixture(scope="module")
def postgresql(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with running_postgresql(request.getfixturevalue("shared"), tmp_path_factory.mktemp("pg")) as url:
        database = open_database(url)
        upgrade(database)
        yield database
        database.close()


def waits_for_a_lock(database: Database) -> bool:
    query = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    with database.read() as session:
        return session.execute(query).scalar_one() > 0


def test_two_that_record_the_same_make_one_alert(postgresql: Database, make: Make) -> None:
    first, second, other = make(rule="same"), make(rule="same"), make(rule="other")
    failures: list[Exception] = []

    def record() -> None:
        try:
            with postgresql.write() as session:
                record_detections(session, [other, second, first])  # ``first`` is in the other batch as well
        except Exception as error:
            failures.append(error)

    thread = threading.Thread(target=record)
    with postgresql.write() as session:
        record_detections(session, [first])
        thread.start()
        end = time.monotonic() + 10
        while thread.is_alive() and not waits_for_a_lock(postgresql) and time.monotonic() < end:
            time.sleep(0.01)
    thread.join(30)
    assert failures == []
    with postgresql.read() as session:
        found = session.execute(select(Alert.rule_id, func.sum(Alert.count), func.count()).group_by(Alert.rule_id)).all()
    assert sorted(tuple(row) for row in found) == [("other", 1, 1), ("same", 2, 1)]


def test_many_that_record_at_once_lose_nothing(postgresql: Database, make: Make) -> None:
    batches = [[make(rule=f"many-{(n + shift) % 7}", host="h") for n in range(14)] for shift in range(6)]
    failures: list[Exception] = []
    begin = threading.Barrier(len(batches))

    def record(batch: list[Detection]) -> None:
        begin.wait(30)
        try:
            with postgresql.write() as session:
                record_detections(session, batch)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=record, args=(batch,)) for batch in batches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    with postgresql.read() as session:
        query = select(func.count(), func.sum(Alert.count)).where(Alert.rule_id.like("many-%"))
        assert tuple(session.execute(query).one()) == (7, 84)
