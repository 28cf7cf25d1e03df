"""The same journal in PostgreSQL: many runs, two executors, every action once."""

from __future__ import annotations

from pathlib import Path

import pytest

from kernel.db import open_database, upgrade
from playbooks.actions.registry import standard
from playbooks.run import journal
from playbooks.run.executor import Executor, Settings
from tests.playbooks.run.target import running_target
from tests.playbooks.run.test_executor import LOOPBACK, ended, ten
from tests.postgresql_server import running_postgresql


@pytest.mark.slow
def test_two_executors_on_postgresql(shared: Path, tmp_path: Path) -> None:
    with running_postgresql(shared, tmp_path) as url, running_target() as target:
        database = open_database(url)
        upgrade(database)
        with database.write() as session:
            run_ids = journal.request_all(session, [ten(target) for _ in range(20)])
        settings = Settings(workers=4, runs=4, poll=0.02)
        with Executor(database, standard(LOOPBACK), settings), Executor(database, standard(LOOPBACK), settings):
            assert ended(database, run_ids, 60) == {"finished"}
        database.close()
    assert set(target.count().values()) == {20}
