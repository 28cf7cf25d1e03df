"""kill -9 of the process that fires triggers, again and again while alerts come in: each alert has its run, and none has two."""

from __future__ import annotations

import multiprocessing
import random
import time
from pathlib import Path

from sqlalchemy import select

from kernel.db import Database, open_database
from playbooks.run.models import PlaybookRun
from playbooks.shelf import service as shelf
from playbooks.triggers import service as triggers
from playbooks.triggers.evaluate import fire_due
from playbooks.triggers.schema import Definition
from tests.playbooks.matters import alert
from tests.playbooks.shelf.people import DUTY, RESPONDER
from tests.playbooks.triggers.conftest import ID, by_hand
from tests.state_database import migrated

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.playbooks.triggers.test_crash"])
ROUNDS, ALERTS = 12, 12


def _fire(url: str) -> None:
    database = open_database(url)
    while True:
        fire_due(database)
        time.sleep(0.005)


def test_killed_at_any_moment_each_alert_has_one_run(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/state.db"
    database = migrated(url)
    _prepare(database)
    dice, numbers = random.Random(7), []
    for _ in range(ROUNDS):
        process = CONTEXT.Process(target=_fire, args=(url,))
        process.start()
        numbers += [alert(database, host__name=f"H{number}") for number in range(ALERTS)]
        time.sleep(dice.random() / 5)
        process.kill()
        process.join(30)
        assert process.exitcode == -9
    while fire_due(database):
        pass
    with database.read() as session:
        keys = list(session.execute(select(PlaybookRun.request_key)).scalars())
        started = triggers.get(session, 1).started
    database.close()
    assert sorted(keys, key=str) == sorted((f"trigger:1:alert:{number}" for number in numbers), key=str)
    assert started == len(numbers) == ROUNDS * ALERTS


def _prepare(database: Database) -> None:
    with database.write() as session:
        shelf.save(session, RESPONDER, by_hand())
        shelf.release(session, DUTY, ID, 1, None)
        wanted = Definition(
            name="alle", playbook_id=ID, kind="alert", condition={"level": "low", "per": "alert"}, throttle_seconds=0,
            most_per_hour=1_000,
        )  # fmt: skip
        made = triggers.create(session, RESPONDER, wanted)
        triggers.set_enabled(session, DUTY, made.id, True, None)
