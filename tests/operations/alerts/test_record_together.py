"""Several workers that record at the same time, against a real PostgreSQL: as if one had come after the other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, func, select, text

from kernel.db import Database, open_database, upgrade
from kernel.detection import Detection
from operations.alerts.models import Alert, AlertDetection
from operations.alerts.service import record_detections
from tests.postgresql_server import running_postgresql

WORKERS = 4
ROUNDS = 15


@pytest.fixture(scope="module")
def postgresql(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with running_postgresql(shared, tmp_path_factory.mktemp("pg")) as server:
        engine = create_engine(server, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text("CREATE DATABASE together"))
        engine.dispose()
        opened = open_database(server.removesuffix("postgres") + "together")
        upgrade(opened)
        yield opened
        opened.close()


def test_the_same_and_related_detections_from_several_workers(postgresql: Database, make: Callable[..., Detection]) -> None:
    """Each round: one detection that all of them have, and one of each for the same entities."""
    errors: list[BaseException] = []
    meet = threading.Barrier(WORKERS)
    common = [make(rule=f"rule-{number}", host="srv") for number in range(ROUNDS)]
    own = [
        [make(rule=f"rule-{number}", host="srv", time=f"2026-11-23T04:00:0{1 + worker}.000000Z") for number in range(ROUNDS)]
        for worker in range(WORKERS)
    ]

    def work(worker: int) -> None:
        try:
            for number in range(ROUNDS):
                meet.wait(30)
                with postgresql.write() as session:
                    record_detections(session, [common[number], own[worker][number]])
        except BaseException as error:  # told by the test's own thread
            errors.append(error)
            meet.abort()

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with postgresql.read() as session:
        assert session.execute(select(func.count()).select_from(AlertDetection)).scalar_one() == ROUNDS * (WORKERS + 1)
        assert session.execute(select(Alert.count)).scalars().all() == [WORKERS + 1] * ROUNDS
