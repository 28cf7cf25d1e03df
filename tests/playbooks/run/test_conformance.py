"""Playbooks of our own with the traces that they must leave, for every kind of step and every way of failing.

``../conformance/NAME.json`` is the playbook, ``NAME.trace.jsonl`` its trace: one line for what each step did, sorted by branch,
because branches of a parallel step go on at the same time. What arrived at the target is written down here, by hand.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from kernel.db import Database, open_database
from playbooks.actions.destination import Reach
from playbooks.actions.registry import standard
from playbooks.check import check, is_right
from playbooks.reading import read
from playbooks.run import journal
from playbooks.run.executor import Executor, Settings
from playbooks.run.journal import Wanted
from playbooks.run.messages import Answer, Undo
from playbooks.run.models import create_tables
from tests.playbooks.run.target import Target, running_target

FOLDER = Path(__file__).parent.parent / "conformance"
CALLED = (FOLDER / "called.json").read_bytes()

# playbook → state, code of the failure, what arrived at the target (branches of parallel steps in any order)
EXPECTED: dict[str, tuple[str, str, list[str]]] = {
    "sequence": ("finished", "", ["/hit/1", "/hit/2"]),
    "commands-and-targets": ("finished", "", ["/hit/a", "/hit/b"]),
    "agent-without-target": ("finished", "", ["/hit/agent"]),
    "parallel": ("finished", "", ["/slow/80/l1", "/hit/r1", "/hit/l2", "/hit/after"]),
    "parallel-failure": ("finished", "", ["/fail/l1", "/slow/80/r1", "/hit/r2", "/hit/mend"]),
    "if": ("finished", "", ["/hit/true", "/hit/after"]),
    "while": (
        "finished", "",
        ["/hit/b1", "/flaky/2/ask", "/hit/b3", "/hit/b1", "/flaky/2/ask", "/hit/b3", "/hit/b1", "/flaky/2/ask", "/hit/after"],
    ),
    "switch": ("finished", "", ["/hit/phishing", "/hit/after"]),
    "switch-default": ("finished", "", ["/hit/default"]),
    "on-failure": ("finished", "", ["/fail/1", "/hit/3"]),
    "workflow-exception": ("failed", "HTTP_ERROR", ["/fail/1", "/hit/mend"]),
    "failure-without-handler": ("failed", "HTTP_ERROR", ["/fail/1"]),
    "timeout": ("finished", "", ["/slow/3000/1", "/hit/2"]),
    "delay": ("finished", "", ["/hit/1", "/hit/2"]),
    "retry": ("finished", "", ["/flaky/2/1"] * 3),
    "retry-exhausted": ("finished", "", ["/fail/1"] * 3 + ["/hit/2"]),
    "variables": ("finished", "", ["/say", "/hit/T-7"]),
    "constant-written": ("finished", "", ["/say", "/hit/old"]),
    "condition-on-null": ("finished", "", ["/hit/f"]),
    "nested": ("finished", "", ["/say", "/hit/t"]),
    "playbook-action": ("finished", "", ["/say", "/hit/r-h1/outer"]),
}  # fmt: skip
WRONG_ON_PURPOSE = {"constant-written"}


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


def executor(database: Database) -> Executor:
    return Executor(database, standard(Reach(("127.0.0.0/8",), ("127.0.0.1",))), Settings(poll=0.05))


def wanted(name: str, target: Target) -> Wanted:
    body = (FOLDER / f"{name}.json").read_bytes()
    return Wanted(body=body, called=(CALLED,), variables={"__port__": str(target.port)}, by="test")


def trace_of(database: Database, run_id: int) -> list[dict[str, object]]:
    """What the journal says, without moments and texts for people; each branch in its order."""
    with database.read() as session:
        entries = [entry for line in journal.lines(session, run_id) for entry in line.trace]
    told = [msgspec.to_builtins(msgspec.structs.replace(entry, message="")) for entry in entries]
    return sorted(told, key=lambda entry: str(entry.get("branch", "")))


def test_every_playbook_of_the_folder_has_its_expectation() -> None:
    names = {path.stem for path in FOLDER.glob("*.json")}
    assert names - {"called", "undo", "manual"} == set(EXPECTED)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_runs_as_expected(name: str, target: Target, database: Database) -> None:
    state, code, paths = EXPECTED[name]
    with executor(database) as running:
        run_id = running.submit(wanted(name, target))
        assert running.wait(run_id, 20) == state
    if name in ("parallel", "parallel-failure", "nested"):
        assert sorted(target.paths) == sorted(paths)
        assert target.paths[-1] == paths[-1] or name == "nested"
    else:
        assert target.paths == paths
    told = trace_of(database, run_id)
    assert told[-1].get("code", "") == code or code in [entry.get("code", "") for entry in told]
    file = FOLDER / f"{name}.trace.jsonl"
    if os.environ.get("LIANDUN_WRITE_TRACES"):
        file.write_text("".join(json.dumps(entry) + "\n" for entry in told))
    assert told == [json.loads(line) for line in file.read_text().splitlines()]


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_the_check_says_the_same(name: str) -> None:
    called = read(CALLED)
    problems = check(read((FOLDER / f"{name}.json").read_bytes()), known_playbooks={called.id: [called]})
    assert is_right(problems) == (name not in WRONG_ON_PURPOSE), problems


def test_a_value_is_put_in_once_and_escaped_where_it_goes(target: Target, database: Database) -> None:
    with executor(database) as running:
        running.wait(running.submit(wanted("variables", target)), 20)
    last = target.requests[-1]
    assert json.loads(last["body"]) == {"text": 'a "b" __ticket__:value'}
    assert last["path"] == "/hit/T-7?q=a%20%22b%22%20__ticket__%3Avalue"
    assert last["headers"]["X-Ticket"] == "T-7"


def test_what_out_args_do_not_name_is_not_written(target: Target, database: Database) -> None:
    with executor(database) as running:
        run_id = running.submit(wanted("variables", target))
        running.wait(run_id, 20)
    with database.read() as session:
        variables = journal.machine_of(journal.load(session, run_id)).variables()
    assert (variables["__ticket__"], variables["__other__"]) == ("T-7", "kept")


def test_a_person_answers_with_values(target: Target, database: Database) -> None:
    with executor(database) as running:
        run_id = running.submit(wanted("manual", target))
        assert running.wait(run_id, 10) == "waiting"
        with database.read() as session:
            (question,) = journal.machine_of(journal.load(session, run_id)).questions()
        assert question.request.command.command == "Look at the door of room 7"
        running.send(run_id, Answer(call=question.key, variables={"__seen__": "open"}), "analyst")
        assert running.wait(run_id, 10) == "finished"
    assert target.paths == ["/hit/open"]


def test_a_person_refuses(target: Target, database: Database) -> None:
    with executor(database) as running:
        run_id = running.submit(wanted("manual", target))
        running.wait(run_id, 10)
        with database.read() as session:
            (question,) = journal.machine_of(journal.load(session, run_id)).questions()
        running.send(run_id, Answer(call=question.key, done=False), "analyst")
        assert running.wait(run_id, 10) == "finished"
    assert target.paths == ["/hit/refused"]


def test_a_command_whose_agent_is_a_person_waits_for_that_person(shared: Path, database: Database) -> None:
    """The standard's own example: an ssh command that a network administrator carries out."""
    body = (shared / "cacao" / "examples" / "oasis-basic-example-1.json").read_bytes()
    with executor(database) as running:
        run_id = running.submit(Wanted(body=body, by="test"))
        assert running.wait(run_id, 10) == "waiting"
        with database.read() as session:
            (question,) = journal.machine_of(journal.load(session, run_id)).questions()
        assert question.request.command.command.startswith("Switch(conf)#mac address-table static 3467.0933.341c")
        running.send(run_id, Answer(call=question.key), "analyst")
        assert running.wait(run_id, 10) == "finished"


def test_what_was_done_is_taken_back_in_reverse(target: Target, database: Database) -> None:
    with executor(database) as running:
        run_id = running.submit(wanted("undo", target))
        assert running.wait(run_id, 10) == "failed"
        assert target.paths == ["/hit/1", "/hit/2", "/fail/3"]
        running.send(run_id, Undo(), "analyst")
        assert running.wait(run_id, 10) == "undone"
    assert target.paths[3:] == ["/hit/u2", "/hit/u1"]
