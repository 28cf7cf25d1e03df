"""Many runs at once, several executors on one database, cancelling, and asking twice."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.playbooks import chain
from kernel.db import Database, open_database
from operations import clock
from playbooks.actions.destination import Reach
from playbooks.actions.registry import standard
from playbooks.json_text import write_json
from playbooks.run import journal
from playbooks.run.executor import Executor, Settings
from playbooks.run.journal import Wanted
from playbooks.run.machine import ENDED
from playbooks.run.messages import Cancel
from playbooks.run.models import create_tables
from tests.playbooks.run.target import Target, running_target

CONFORMANCE = Path(__file__).parent.parent / "conformance"
LOOPBACK = Reach(("127.0.0.0/8",), ("127.0.0.1",))


@pytest.fixture
def target() -> Iterator[Target]:
    with running_target() as running:
        yield running


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = open_database(f"sqlite:///{tmp_path}/journal.db")
    create_tables(opened)
    yield opened
    opened.close()


def ten(target: Target) -> Wanted:
    return Wanted(body=write_json(chain(10, target.port)), by="test")


def state(database: Database, run_id: int) -> journal.State:
    with database.read() as session:
        return journal.state_of(session, run_id)


def ended(database: Database, run_ids: list[int], seconds: float = 30) -> set[str]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        states = {state(database, run_id).state for run_id in run_ids}
        if states <= ENDED:
            return states
        time.sleep(0.05)
    raise AssertionError(f"not all of the runs ended: {states}")


def test_eight_workers_run_many_playbooks_and_every_action_once(target: Target, database: Database) -> None:
    with Executor(database, standard(LOOPBACK), Settings(workers=8, runs=16)) as executor:
        futures = [executor.submit_soon(ten(target)) for _ in range(40)]  # more than find room in memory
        run_ids = [future.result(20) for future in futures]
        assert ended(database, run_ids) == {"finished"}
    assert set(target.count().values()) == {40}
    assert len(target.paths) == 400


def test_two_executors_never_run_the_same_run(target: Target, database: Database) -> None:
    with database.write() as session:
        run_ids = journal.request_all(session, [ten(target) for _ in range(20)])
    settings = Settings(workers=4, runs=4, poll=0.02)
    with Executor(database, standard(LOOPBACK), settings), Executor(database, standard(LOOPBACK), settings):
        assert ended(database, run_ids) == {"finished"}
    assert set(target.count().values()) == {20}


def test_an_executor_that_lost_its_lease_writes_nothing_more(target: Target, database: Database) -> None:
    with database.write() as session:
        run_id = journal.request(session, ten(target))
        claimed = journal.claim(session, "first", clock.shift(clock.now(), -1), clock.now(), 1)
    assert [one.run_id for one in claimed] == [run_id]
    with Executor(database, standard(LOOPBACK), Settings(poll=0.02)):
        assert ended(database, [run_id]) == {"finished"}
    with database.write() as session:
        journal.change(session, "first", [(run_id, {"state": "failed"})])
    assert state(database, run_id).state == "finished"


def test_cancelled_nothing_new_begins(target: Target, database: Database) -> None:
    body = (CONFORMANCE / "parallel.json").read_bytes().replace(b"/slow/80/", b"/slow/20000/")
    with Executor(database, standard(LOOPBACK), Settings(poll=0.02)) as executor:
        run_id = executor.submit(Wanted(body=body, variables={"__port__": str(target.port)}, by="test"))
        end = time.monotonic() + 10
        while "/slow/20000/l1" not in target.paths and time.monotonic() < end:
            time.sleep(0.01)
        executor.send(run_id, Cancel(reason="false alarm"), "analyst")
        assert ended(database, [run_id]) == {"cancelled"}
    assert "/hit/l2" not in target.paths
    assert "/hit/after" not in target.paths


def test_asked_for_twice_with_one_key_it_is_one_run(target: Target, database: Database) -> None:
    wanted = Wanted(body=write_json(chain(1, target.port)), by="test", request_key="alert-7")
    with Executor(database, standard(LOOPBACK), Settings(poll=0.02)) as executor:
        futures = [executor.submit_soon(wanted) for _ in range(5)]
        run_ids = {future.result(10) for future in futures}
        assert len(run_ids) == 1
        assert ended(database, list(run_ids)) == {"finished"}
    assert len(target.paths) == 1


def test_networks_that_are_not_allowed_are_not_connected_to(target: Target, database: Database) -> None:
    with Executor(database, standard(), Settings(poll=0.02)) as executor:
        run_id = executor.submit(Wanted(body=write_json(chain(1, target.port)), by="test"))
        assert executor.wait(run_id, 10) == "failed"
    assert state(database, run_id).reason.startswith("NOT_ALLOWED")
    assert target.paths == []


def test_redirects_are_not_followed(target: Target, database: Database) -> None:
    body = (CONFORMANCE / "failure-without-handler.json").read_bytes().replace(b"/fail/1", b"/away/1")
    with Executor(database, standard(LOOPBACK), Settings(poll=0.02)) as executor:
        run_id = executor.submit(Wanted(body=body, variables={"__port__": str(target.port)}, by="test"))
        assert executor.wait(run_id, 10) == "failed"
    assert "redirects are not followed" in state(database, run_id).reason
    assert target.paths == ["/away/1"]


def test_old_runs_are_pruned_with_their_journal(target: Target, database: Database) -> None:
    with Executor(database, standard(LOOPBACK), Settings(poll=0.02)) as executor:
        run_id = executor.submit(Wanted(body=write_json(chain(1, target.port)), by="test"))
        assert executor.wait(run_id, 10) == "finished"
    with database.write() as session:
        assert journal.prune(session, "2000-01-01T00:00:00.000000Z") == 0
        assert journal.prune(session, clock.shift(clock.now(), 1)) == 1
        assert journal.lines(session, run_id) == []
