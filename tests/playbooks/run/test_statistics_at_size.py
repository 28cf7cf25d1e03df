"""Statistics with a hundred thousand runs: they are answered at once, and days from an index alone."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import text

from kernel.db import Database
from operations import clock
from playbooks.run.statistics import busiest, days, records
from tests.state_database import migrated

RUNS, PLAYBOOKS = 100_000, 40
GOAL = 0.3
"""Seconds of this process's own time, which other work on the machine does not lengthen much."""
_ROWS = f"""
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {RUNS - 1})
INSERT INTO playbook_runs (playbook_id, playbook_name, digest, called, variables, state, reason, cause, subject,
                           created_at, created_by, started_at, ended_at, lease_owner, lease_until, events)
SELECT 'playbook--' || (i % {PLAYBOOKS}), 'p', 'd', '[]', :variables, CASE i % 7 WHEN 0 THEN 'failed' ELSE 'finished' END,
       '', '{{}}', 'alert:' || i, at, 'x', at, strftime('%Y-%m-%dT%H:%M:%S.000000Z', at, '+' || (i % 900) || ' seconds'), '', '', 9
FROM (SELECT i, strftime('%Y-%m-%dT%H:%M:%S.000000Z', :first, '+' || (i * 25) || ' seconds') AS at FROM n)
"""  # numbers of this file


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Database:
    opened = migrated(f"sqlite:///{tmp_path_factory.mktemp('size') / 'state.db'}")
    with opened.write() as session:
        session.execute(text("INSERT INTO playbook_documents VALUES ('d', 'p', '', '{}', '')"))
        session.execute(text(_ROWS), {"variables": '{"x": "' + "y" * 400 + '"}', "first": clock.shift(clock.now(), -29 * 86_400)})
    opened.analyze()
    return opened


def test_statistics_of_a_hundred_thousand_runs_take_less_than_the_goal(database: Database) -> None:
    since, took = clock.shift(clock.now(), -30 * 86_400), []
    for _ in range(3):
        with database.read() as session:
            start = time.process_time()
            by_day, counts = days(session, since), busiest(session, since)
            told = records(session, counts, since)
            took.append(time.process_time() - start)
    assert sum(day.finished + day.failed for day in by_day) == sum(counts.values()) == RUNS
    assert len(told) == PLAYBOOKS
    assert all(one.seconds is not None and one.success for one in told.values())
    assert min(took) < GOAL


def test_days_read_an_index_and_no_runs(database: Database) -> None:
    query = "EXPLAIN QUERY PLAN SELECT substr(created_at, 1, 13) AS h, state, count(*) FROM playbook_runs"
    query += " WHERE created_at > '2026' GROUP BY h, state"
    with database.read() as session:
        assert "COVERING INDEX ix_playbook_runs_created" in str(session.execute(text(query)).all())
