"""The same journal in PostgreSQL: many runs, two executors, every action once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from benchmarks.playbooks import chain
from kernel.db import Database, open_database, upgrade
from playbooks.actions.registry import standard
from playbooks.json_text import write_json
from playbooks.run import journal
from playbooks.run.executor import Executor, Settings
from playbooks.run.journal import Wanted
from tests.playbooks.run.target import Target, running_target
from tests.playbooks.run.test_approvals import DUTY, LEADER, agree, asked, closed, needs
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
        assert set(target.count().values()) == {20}
        _two_agree_at_the_same_time(database, target)
        database.close()


def _two_agree_at_the_same_time(database: Database, target: Target) -> None:
    """Of two who answer together both count; nobody waits for ever for the other."""
    with Executor(database, standard(LOOPBACK), Settings(poll=0.02), gate=needs(2)) as executor:
        run_id = executor.submit(Wanted(body=write_json(chain(1, target.port)), by="starter"))
        question = asked(database, run_id)
        with ThreadPoolExecutor(2) as both:
            list(both.map(lambda who: agree(database, who, question), (DUTY, LEADER)))
        assert ended(database, [run_id], 30) == {"finished"}
    assert [given.by for given in sorted(closed(database, question.id).answers, key=lambda one: one.by)] == ["lin.mei", "zhou.ju"]
