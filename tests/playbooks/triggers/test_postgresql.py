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
from operations.incidents import change as incidents
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
        numbers = _prepare(database)
        stop = threading.Event()
        with ThreadPoolExecutor(10) as threads:
            roles = [threads.submit(_role, database, stop) for _ in range(2)]
            try:
                made = [threads.submit(alert, database, host__name=f"H{number}") for number in range(ALERTS)]
                made += [threads.submit(_move, database, number) for number in numbers]
                for one in made:
                    one.result(60)
            finally:
                stop.set()
            started = sum(one.result(60) for one in roles) + _rest(database)
        assert started == ALERTS + INCIDENTS
        with database.read() as session:
            keys = list(session.execute(select(PlaybookRun.request_key)).scalars())
        database.close()
    assert len(keys) == len(set(keys)) == ALERTS + INCIDENTS


def _prepare(database: Database) -> list[int]:
    """Triggers that are switched on, and incidents of before."""
    rest = {"playbook_id": ID, "throttle_seconds": 0, "most_per_hour": 1_000}
    with database.write() as session:
        numbers = [create_incident(session, SYSTEM, NewIncident(f"事件 {number}")).id for number in range(INCIDENTS)]
        shelf.install_library(session)
        shelf.save(session, RESPONDER, by_hand())
        shelf.release(session, DUTY, ID, 1, None)
        for kind, condition in (("alert", {"level": "high"}), ("incident", {"phases": ["containment"]})):
            made = triggers.create(session, RESPONDER, Definition(name=kind, kind=kind, condition=condition, **rest))
            triggers.set_enabled(session, DUTY, made.id, True, None)
        assert len(shelf.listing(session, limit=500).playbooks) > 20
    return numbers


def _role(database: Database, stop: threading.Event) -> int:
    started = 0
    while not stop.is_set():
        started += fire_due(database)
        time.sleep(0.01)
    return started


def _move(database: Database, number: int) -> None:
    """Entries of timelines take their numbers in one order, and become visible in another."""
    with database.write() as session:
        incidents.move(session, SYSTEM, number, "containment")
        time.sleep(number % 3 / 100)


def _rest(database: Database) -> int:
    """Do what the roles left."""
    started = 0
    while more := fire_due(database):
        started += more
    return started
