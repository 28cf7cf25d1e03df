"""kill -9 of a real process at every boundary of its journal: no step is carried out twice, none is lost, the run ends.

The playbook has twelve steps with a parallel and a while step. A process runs it and is killed: before its Nth commit, right
after it (nothing of it has had effect yet), or when a command has been carried out and nobody has been told. Then another process
goes on. Of a command that was begun and not ended it asks; the test answers as a person would who looks at the target.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from kernel.db import Database, open_database
from playbooks.actions.contract import ActionKind, Context, Request
from playbooks.actions.destination import Reach
from playbooks.actions.http_api import HttpApi
from playbooks.run import journal
from playbooks.run.executor import Executor, Settings
from playbooks.run.journal import Wanted
from playbooks.run.machine import ENDED
from playbooks.run.messages import Decide
from playbooks.run.models import create_tables
from playbooks.variables import Value
from tests.playbooks.documents import uuid
from tests.playbooks.run.target import Target, running_target

ACTIONS = {"/hit/a1": 1, "/hit/b1": 1, "/hit/c1": 1, "/rounds/2/d1": 2, "/hit/a2": 1}
SETTINGS = Settings(workers=4, lease=0.5, poll=0.02)
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.playbooks.run.test_crash"])
STAGES = ("before a commit", "after a commit", "after a command")


def document(port: int) -> bytes:
    """Twelve steps: start, a1, parallel (b1, c1), while (d1), a2, and the ends of all branches."""
    import json

    start, parallel, loop = f"start--{uuid(1)}", f"parallel--{uuid(2)}", f"while-condition--{uuid(3)}"
    a1, b1, c1, d1, a2 = (f"action--{uuid(number)}" for number in range(11, 16))
    end, end_b, end_c, end_d = (f"end--{uuid(number)}" for number in range(21, 25))
    agent, target = f"liandun--{uuid(31)}", f"http-api--{uuid(32)}"

    def action(path: str, following: str, **more: Any) -> dict[str, Any]:
        command = {"type": "http-api", "command": f"POST {path} HTTP/1.1"}
        return {"type": "action", "commands": [command], "agent": agent, "targets": [target], "on_completion": following, **more}

    playbook = {
        "type": "playbook",
        "spec_version": "cacao-2.0",
        "id": f"playbook--{uuid(100)}",
        "name": "crash",
        "created_by": f"identity--{uuid(101)}",
        "created": "2026-11-27T00:00:00.000Z",
        "modified": "2026-11-27T00:00:00.000Z",
        "playbook_variables": {"__more__": {"type": "string", "value": "yes"}},
        "workflow_start": start,
        "workflow": {
            start: {"type": "start", "on_completion": a1},
            a1: action("/hit/a1", parallel),
            parallel: {"type": "parallel", "next_steps": [b1, c1], "on_completion": loop},
            b1: action("/hit/b1", end_b),
            c1: action("/hit/c1", end_c),
            loop: {"type": "while-condition", "condition": "__more__:value = 'yes'", "on_true": d1, "on_completion": a2},
            d1: action("/rounds/2/d1", end_d, out_args=["__more__"]),
            a2: action("/hit/a2", end),
            **{one: {"type": "end"} for one in (end, end_b, end_c, end_d)},
        },
        "agent_definitions": {agent: {"type": "liandun", "name": "Liandun"}},
        "target_definitions": {
            target: {"type": "http-api", "name": "target", "address": {"ipv4": ["127.0.0.1"]}, "port": str(port)}
        },
    }
    return json.dumps(playbook).encode()


class _Mortal(Executor):
    """Dies at its ``number``-th commit."""

    stage, number = "", 0

    def _transaction(self, rows: list[dict[str, Any]]) -> Any:
        self.number -= 1
        if self.number == 0 and self.stage == STAGES[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        accepted = super()._transaction(rows)
        if self.number == 0 and self.stage == STAGES[1]:
            os.kill(os.getpid(), signal.SIGKILL)
        return accepted


class _MortalHttp(HttpApi):
    """Dies when its ``number``-th command has been carried out."""

    number = 0

    def run(self, request: Request, context: Context) -> Mapping[str, Value]:
        found = super().run(request, context)
        self.number -= 1
        if self.number == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return found


def _child(url: str, run_id: int, stage: str, number: int) -> None:
    """Run what the journal has until the run has ended; die on the way where that is asked for."""
    database = open_database(url)
    http = _MortalHttp(Reach(("127.0.0.0/8",), ("127.0.0.1",)))
    http.number = number if stage == STAGES[2] else 0
    kinds: dict[str, ActionKind] = {"http-api": http}
    executor = _Mortal(database, kinds, SETTINGS)
    executor.stage, executor.number = stage, number
    with executor:
        while True:
            with database.read() as session:
                if journal.state_of(session, run_id).state in ENDED:
                    return
            time.sleep(0.02)


def _finished(database: Database, run_id: int, target: Target, answered: set[str]) -> bool:
    """Whether the run has ended; answers its questions as somebody who looks at the target."""
    with database.read() as session:
        if journal.state_of(session, run_id).state in ENDED:
            return True
        machine = journal.machine_of(journal.load(session, run_id))
        ended = Counter(
            line.event.call for line in journal.lines(session, run_id) if line.event.__class__.__name__ == "Ended"  # type: ignore[union-attr]
        )  # fmt: skip
    for call in machine.questions():
        if f"{call.key} {call.attempt}" in answered:
            continue
        answered.add(f"{call.key} {call.attempt}")
        path = call.request.command.command.split()[1]
        known = sum(count for key, count in ended.items() if _path_of(database, run_id, key) == path)
        done = target.count()[path] > known
        variables: dict[str, Value] = {}
        if done and call.request.out_args:
            variables["__more__"] = "yes" if target.count()[path] < 2 else "no"
        with database.write() as session:
            message = Decide(call=call.key, choice="done" if done else "again", variables=variables)
            journal.send(session, run_id, message, "analyst")
    return False


def _path_of(database: Database, run_id: int, key: str) -> str:
    with database.read() as session:
        for line in journal.lines(session, run_id):
            if line.event.__class__.__name__ == "Begun" and line.event.call == key:  # type: ignore[union-attr]
                return str(line.event.line).split()[2]  # type: ignore[union-attr]
    return ""


@pytest.fixture
def target() -> Iterator[Target]:
    with running_target() as running:
        yield running


@pytest.mark.slow
@pytest.mark.parametrize("stage", STAGES)
def test_killed_at_every_boundary(stage: str, target: Target, tmp_path: Path) -> None:
    killed = 0
    for number in range(1, 40):
        target.paths.clear()
        url = f"sqlite:///{tmp_path}/{number}.db"
        database = open_database(url)
        create_tables(database)
        with database.write() as session:
            run_id = journal.request(session, Wanted(body=document(target.port), by="test"))
        first = CONTEXT.Process(target=_child, args=(url, run_id, stage, number))
        first.start()
        first.join(30)
        assert first.exitcode in (0, -signal.SIGKILL)
        if first.exitcode == 0:
            break
        killed += 1
        second = CONTEXT.Process(target=_child, args=(url, run_id, "", 0))
        second.start()
        answered: set[str] = set()
        end = time.monotonic() + 30
        while not _finished(database, run_id, target, answered):
            assert time.monotonic() < end, f"killed {stage} {number}: the run does not end"
            time.sleep(0.02)
        second.join(30)
        with database.read() as session:
            state = journal.state_of(session, run_id)
        assert (state.state, state.reason) == ("finished", ""), f"killed {stage} {number}"
        assert dict(target.count()) == ACTIONS, f"killed {stage} {number}"
        database.close()
    assert killed >= 6
    assert dict(target.count()) == ACTIONS  # of the round in which nobody was killed
