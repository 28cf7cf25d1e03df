"""Many writers and two roles at once on a server: nothing is passed over, nothing is started twice."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import select

from kernel.db import Database, open_database, upgrade
from operations.audit.schema import SYSTEM
from operations.incidents.record import create_incident
from operations.incidents.schema import NewIncident
from playbooks.run.models import PlaybookRun
from playbooks.shelf import service as shelf
from playbooks.triggers import service as triggers
from playbooks.triggers.evaluate import fire_due
from playbooks.triggers.schema import Definition
from tests.playbooks.matters import alert
from tests.playbooks.shelf.people import DUTY, RESPONDER
from tests.playbooks.triggers.conftest import ID, by_hand
from tests.postgresql_server import running_postgresql

ALERTS, INCIDENTS = 60, 60


@pytest.mark.slow
def test_two_roles_and_many_writers(shared: Path, tmp_path: Path) -> None:
    with running_postgresql(shared, tmp_path) as url:
        database = open_database(url)
        upgrade(database)
        _prepare(database)
        stop = threading.Event()
        with ThreadPoolExecutor(10) as threads:
            roles = [threads.submit(_role, database, stop) for _ in range(2)]
            made = [threads.submit(alert, database, host__name=f"H{number}") for number in range(ALERTS)]
            made += [threads.submit(_incident, database, number) for number in range(INCIDENTS)]
            for one in made:
                one.result(120)
            started = _until_quiet(database, stop)
            assert sum(one.result(60) for one in roles) + started == ALERTS + INCIDENTS
        with database.read() as session:
            keys = list(session.execute(select(PlaybookRun.request_key)).scalars())
        database.close()
    assert len(keys) == len(set(keys)) == ALERTS + INCIDENTS


def _prepare(database: Database) -> None:
    rest = {"playbook_id": ID, "throttle_seconds": 0, "most_per_hour": 1_000}
    with database.write() as session:
        shelf.install_library(session)
        shelf.save(session, RESPONDER, by_hand())
        shelf.release(session, DUTY, ID, 1, None)
        for kind, condition in (("alert", {"level": "high"}), ("incident", {"phases": ["detection"]})):
            made = triggers.create(session, RESPONDER, Definition(name=kind, kind=kind, condition=condition, **rest))
            triggers.set_enabled(session, DUTY, made.id, True, None)
        assert len(shelf.listing(session, limit=500).playbooks) > 20


def _role(database: Database, stop: threading.Event) -> int:
    started = 0
    while not stop.is_set():
        started += fire_due(database)
        time.sleep(0.01)
    return started


def _incident(database: Database, number: int) -> None:
    """Its number is taken some time before it becomes visible."""
    with database.write() as session:
        create_incident(session, SYSTEM, NewIncident(f"事件 {number}"))
        time.sleep(number % 7 / 100)


def _until_quiet(database: Database, stop: threading.Event) -> int:
    """Stop the roles, then do what they left."""
    stop.set()
    started = 0
    while (more := fire_due(database)) or started == 0:
        started += more
        if not more:
            break
    return started
