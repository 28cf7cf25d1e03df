"""Taking back: all that was done or may have been done, the last first; "undone" only where nothing is left; by two people."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from benchmarks.playbooks import chain
from kernel.db import Database
from operations.accounts.schema import Principal
from operations.audit import service as audit
from operations.errors import Conflict, Denied, Invalid, NotFound
from playbooks.actions.destination import Reach
from playbooks.actions.registry import standard
from playbooks.extension import EXTENSION
from playbooks.json_text import write_json
from playbooks.reading import read
from playbooks.run import journal, questions, steering
from playbooks.run.events import (
    Approved,
    Asked,
    Begun,
    Cancelled,
    Decided,
    Due,
    Ended,
    Event,
    Resumed,
    Settled,
    Started,
    UndoAsked,
)
from playbooks.run.executor import Executor, Settings
from playbooks.run.gate import Need
from playbooks.run.journal import Wanted
from playbooks.run.machine import ENDED, Impossible, Machine
from playbooks.run.models import PlaybookRun
from playbooks.run.questions import Question
from playbooks.run.state import Call
from playbooks.run.taking_back import BY_HAND
from playbooks.variables import Value
from tests.playbooks.documents import AGENT, END, FIRST, START, document, octets, uuid
from tests.playbooks.run.target import Target, running_target
from tests.state_database import migrated

SECOND, BACK, BACK_END = f"action--{uuid(40)}", f"action--{uuid(41)}", f"end--{uuid(42)}"
ONE, TWO = f"http-api--{uuid(50)}", f"http-api--{uuid(51)}"


def playbook(*, manual: bool = False, parallel: bool = False) -> bytes:
    """Two blocks of two targets each, taken back by one step that names the rule which the block gave back."""
    command = {"type": "manual", "command": "block"} if manual else {"type": "http-api", "command": "POST /block HTTP/1.1"}
    back = {"type": "http-api", "command": "POST /back/__rule__:value HTTP/1.1"}
    block = {
        "type": "action", "commands": [command], "agent": AGENT, "targets": [ONE, TWO], "out_args": ["__rule__"],
        "step_extensions": {EXTENSION: {"undo": BACK}},
    }  # fmt: skip
    both = f"parallel--{uuid(60)}"
    one = document(
        playbook_variables={"__rule__": {"type": "string", "value": "none"}},
        workflow={
            START: {"type": "start", "on_completion": both if parallel else FIRST},
            FIRST: {**block, "name": "first", "on_completion": END if parallel else SECOND},
            SECOND: {**block, "name": "second", "on_completion": END},
            BACK: {"type": "action", "commands": [back], "agent": AGENT, "targets": [ONE], "on_completion": BACK_END},
            BACK_END: {"type": "end"},
            END: {"type": "end"},
            **({both: {"type": "parallel", "next_steps": [FIRST, SECOND], "on_completion": END}} if parallel else {}),
        },
        target_definitions={
            key: {"type": "http-api", "name": name, "address": {"ipv4": ["127.0.0.1"]}} for key, name in ((ONE, "a"), (TWO, "b"))
        },
        authentication_info_definitions={},
    )  # fmt: skip
    return octets(one)


class Driver:
    """Lets events happen to a machine and keeps them as the journal would. ``sent``: what was begun, as text."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.machine = Machine(read(body))
        self.events: list[Event] = []
        self.sent: list[str] = []
        self.happen(Started(at=0))

    def happen(self, event: Event) -> None:
        self.events.append(event)
        self.machine.apply(event)

    def begin(self, place: int = 0) -> Call:
        call = self.machine.ready()[place]
        self.sent.append(call.request.command.command.split()[1] if not call.by_hand else "by hand")
        self.happen(Begun(at=0, call=call.key, attempt=call.attempt))
        return call

    def end(self, call: Call, code: str = "", rule: str = "") -> None:
        variables: dict[str, Value] = {"__rule__": rule} if rule else {}
        self.happen(Ended(at=0, call=call.key, attempt=call.attempt, code=code, variables=variables))

    def does(self, code: str = "", rule: str = "") -> None:
        self.end(self.begin(), code, rule)

    def cancel(self) -> None:
        self.happen(Cancelled(at=0, by="lin.mei"))

    def undo(self, *codes: str) -> list[str]:
        """Ask for it, let each command end with one of ``codes``; what was sent."""
        self.sent.clear()
        self.happen(UndoAsked(at=0, by="lin.mei"))
        for code in codes:
            self.does(code)
        assert self.machine.state in ENDED, self.machine.state
        again = Machine(read(self.body))
        for event in self.events:
            again.apply(event)
        assert (again.state, again.failure, again.taking_back.by) == (self.machine.state, self.machine.failure, "lin.mei")
        return list(self.sent)


def test_the_second_target_failed_the_first_is_taken_back() -> None:
    run = Driver(playbook())
    run.does(rule="7")
    run.does("HTTP_ERROR")
    assert run.machine.state == "failed"
    assert run.undo("") == ["/back/7"]
    assert run.machine.state == "undone"


@pytest.mark.parametrize("code", ["HTTP_ERROR", "SSH_FAILED", "ACTION_CANCELLED", "UNKNOWN_OUTCOME"])
def test_a_command_that_began_and_failed_may_have_been_done(code: str) -> None:
    run = Driver(playbook())
    run.does(code)
    assert run.undo("") == ["/back/none"]
    assert run.machine.state == "undone"


def test_out_of_time_it_may_have_been_done() -> None:
    run = Driver(playbook())
    run.begin()
    run.happen(Due(at=run.machine.next_timer() or 0))
    assert run.undo("") == ["/back/none"]


def test_what_never_began_is_not_taken_back() -> None:
    run = Driver(playbook())
    call = run.machine.ready()[0]
    run.happen(Asked(at=0, call=call.key, digest=call.digest, number=1, until=60_000))
    run.happen(Approved(at=0, call=call.key, digest=call.digest, by="zhou.ju", yes=False))
    assert run.machine.state == "failed"
    assert run.undo() == []
    assert run.machine.state == "undone"


def test_each_is_taken_back_with_its_own_values_the_last_first() -> None:
    run = Driver(playbook())
    for rule in ("1", "2", "3", "4"):
        run.does(rule=rule)
    assert run.machine.state == "finished"
    assert run.undo("", "") == ["/back/4", "/back/2"]
    assert run.machine.state == "undone"
    assert run.undo() == [], "nothing is left"


@pytest.mark.parametrize("code", ["", "HTTP_ERROR"])
def test_cancelled_while_a_command_ran_it_is_taken_back(code: str) -> None:
    run = Driver(playbook())
    call = run.begin()
    run.cancel()
    assert run.machine.state == "running"
    run.end(call, code, rule="" if code else "9")
    assert run.machine.state == "cancelled"
    assert run.undo("") == ["/back/none" if code else "/back/9"]
    assert run.machine.state == "undone"


def test_cancelled_before_the_first_command_there_is_nothing() -> None:
    run = Driver(playbook())
    run.cancel()
    assert (run.machine.state, run.undo(), run.machine.state) == ("cancelled", [], "undone")


def test_cancelled_after_a_crash_it_may_have_been_done() -> None:
    run = Driver(playbook())
    run.begin()
    run.cancel()
    run.happen(Resumed(at=0))
    assert run.machine.state == "cancelled"
    assert run.undo("") == ["/back/none"]


def test_a_failed_undo_is_not_forgotten() -> None:
    run = Driver(playbook())
    for rule in ("1", "2", "3", "4"):
        run.does(rule=rule)
    assert run.undo("HTTP_ERROR", "") == ["/back/4", "/back/2"], "the others are taken back all the same"
    assert run.machine.state == "failed"
    assert run.machine.failure is not None
    assert run.machine.failure.code == "HTTP_ERROR"
    assert run.undo("HTTP_ERROR") == ["/back/4"]
    assert run.machine.state == "failed"
    assert run.undo("") == ["/back/4"]
    assert run.machine.state == "undone"


def test_an_undo_that_is_cancelled_goes_on_where_it_stopped() -> None:
    run = Driver(playbook())
    for rule in ("1", "2", "3", "4"):
        run.does(rule=rule)
    run.happen(UndoAsked(at=0))
    call = run.begin()
    run.cancel()
    run.end(call)
    assert run.machine.state == "cancelled"
    assert run.undo("") == ["/back/2"], "the last was taken back while the undo was cancelled"
    assert run.machine.state == "undone"


def test_an_undo_that_is_cancelled_and_fails_is_left() -> None:
    run = Driver(playbook())
    run.does("HTTP_ERROR")
    run.happen(UndoAsked(at=0))
    call = run.begin()
    run.cancel()
    run.end(call, "HTTP_ERROR")
    assert run.undo("") == ["/back/none"]


def test_an_undo_whose_outcome_a_person_lets_fail_is_left() -> None:
    run = Driver(playbook())
    run.does("HTTP_ERROR")
    run.happen(UndoAsked(at=0))
    call = run.begin()
    run.happen(Resumed(at=0))
    run.happen(Decided(at=0, call=call.key, choice="fail"))
    assert run.machine.state == "failed"
    assert run.undo("") == ["/back/none"]


def test_what_a_person_did_not_do_is_not_taken_back() -> None:
    run = Driver(playbook(manual=True))
    run.does("ACTION_FAILED")
    assert run.undo() == []
    run = Driver(playbook(manual=True))
    run.does(rule="5")
    run.does("ACTION_FAILED")
    assert run.undo("") == ["/back/5"]


def test_nobody_says_whether_a_person_did_it() -> None:
    run = Driver(playbook(manual=True))
    run.begin()
    run.cancel()
    assert run.machine.state == "cancelled"
    assert run.undo("") == ["/back/none"]


def test_a_failed_undo_leaves_no_values_behind() -> None:
    run = Driver(playbook())
    run.does(rule="7")
    run.does("HTTP_ERROR")
    assert run.undo("HTTP_ERROR") == ["/back/7"]
    assert run.undo("") == ["/back/7"]


def test_branches_are_taken_back_in_the_order_in_which_they_ended() -> None:
    run = Driver(playbook(parallel=True))
    first, second = run.begin(), run.begin()
    run.end(second, rule="s1")
    run.end(run.begin(), rule="s2")
    run.end(first, rule="f1")
    run.end(run.begin(), rule="f2")
    assert run.machine.state == "finished"
    assert run.undo("", "") == ["/back/f2", "/back/s2"]


def test_a_branch_that_was_cut_off_is_taken_back() -> None:
    """Cancelled while one branch was between its two targets, the other within one."""
    run = Driver(playbook(parallel=True))
    first, second = run.begin(), run.begin()
    run.end(first, rule="f1")
    run.cancel()
    run.end(second, "SSH_FAILED")
    assert run.undo("", "") == ["/back/f1", "/back/none"]
    assert run.machine.state == "undone"


def test_only_a_run_that_has_ended_is_taken_back() -> None:
    run = Driver(playbook())
    with pytest.raises(Impossible):
        run.machine.apply(UndoAsked(at=0))
    run = Driver(playbook())
    run.does("HTTP_ERROR")
    run.happen(UndoAsked(at=0, by="lin.mei"))
    run.happen(UndoAsked(at=0, by="zhou.ju"))  # stands in journals of before: that run had been called undone
    assert (run.machine.state, run.machine.taking_back.by) == ("running", "lin.mei")


# -- settled by hand ------------------------------------------------------------------------------------------------------------


def left_of(run: Driver) -> list[tuple[str, str]]:
    return [(one.undo.visit.step.name, one.failure.code if one.failure else "") for one in run.machine.taking_back.left()]


def visits(run: Driver) -> list[int]:
    return [one.undo.visit.number for one in run.machine.taking_back.left()]


def test_with_the_last_one_settled_by_hand_the_run_is_taken_back() -> None:
    run = Driver(playbook())
    assert left_of(run) == []
    for rule in ("1", "2", "3", "4"):
        run.does(rule=rule)
    assert left_of(run) == [], "nobody has asked for an undo"
    run.undo("HTTP_ERROR", "SSH_FAILED")
    assert left_of(run) == [("second", "HTTP_ERROR"), ("first", "SSH_FAILED")]
    second, first = visits(run)
    run.happen(Settled(at=0, visit=second, by="zhou.ju", comment="by console"))
    assert (run.machine.state, left_of(run)) == ("failed", [("first", "SSH_FAILED")])
    run.happen(Settled(at=0, visit=second, by="zhou.ju"))
    run.happen(Settled(at=0, visit=999, by="zhou.ju"))
    assert [entry.event for entry in run.machine.taken_trace()][-2:] == ["late", "late"]
    run.happen(Settled(at=0, visit=first, by="zhou.ju", comment="too"))
    assert (run.machine.state, run.machine.failure, run.machine.taking_back.by_hand) == ("undone", None, True)
    assert [(entry.event, entry.outcome) for entry in run.machine.taken_trace()] == [("settled", ""), ("run", "undone")]
    assert run.undo() == [], "nothing is left"
    assert run.machine.state == "undone"


def test_what_is_settled_by_hand_is_not_taken_back_again() -> None:
    run = Driver(playbook())
    for rule in ("1", "2", "3", "4"):
        run.does(rule=rule)
    run.undo("HTTP_ERROR", "HTTP_ERROR")
    run.happen(Settled(at=0, visit=visits(run)[0]))
    assert run.undo("") == ["/back/2"]
    assert (run.machine.state, run.machine.taking_back.by_hand) == ("undone", True)


def test_nothing_is_settled_while_a_run_or_its_undo_goes_on() -> None:
    run = Driver(playbook())
    number = run.begin().visit.number
    run.happen(Settled(at=0, visit=number))
    run.cancel()
    run.happen(Resumed(at=0))
    run.happen(Settled(at=0, visit=number))
    assert (run.machine.state, run.machine.taking_back.by_hand) == ("cancelled", False)
    run.happen(UndoAsked(at=0))
    run.happen(Settled(at=0, visit=number))
    assert run.machine.state == "running"
    assert run.machine.taking_back.is_left(number)


# -- with people ----------------------------------------------------------------------------------------------------------------

STARTER = Principal(5, "starter", "", "duty")
LIN = Principal(1, "lin.mei", "", "duty")
ZHOU = Principal(2, "zhou.ju", "", "duty")


@pytest.fixture
def target() -> Iterator[Target]:
    with running_target() as running:
        yield running


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = migrated(f"sqlite:///{tmp_path}/state.db")
    yield opened
    opened.close()


def with_undo(target: Target, path: str = "/hit/block") -> Wanted:
    """One step whose undo step needs somebody to agree."""
    one: dict[str, Any] = chain(1, target.port)
    workflow = one["workflow"]
    (step,) = (each for each in workflow.values() if each["type"] == "action")
    workflow[BACK] = {**step, "commands": [{"type": "http-api", "command": "POST /hit/back HTTP/1.1"}], "on_completion": BACK_END}
    workflow[BACK_END] = {"type": "end"}
    step["commands"] = [{"type": "http-api", "command": f"POST {path} HTTP/1.1"}]
    step["step_extensions"] = {EXTENSION: {"undo": BACK}}
    return Wanted(body=write_json(one), by="starter")


def gate(call: Call) -> Need | None:
    return Need(number=1, seconds=60, why=("system",)) if call.visit.branch.undo else None


def until(found: Callable[[], Any]) -> Any:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        value = found()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError("it does not come")


def asked(database: Database, run_id: int) -> Question:
    def first() -> Question | None:
        with database.read() as session:
            return next(iter(questions.open_questions(session, run_id=run_id)), None)

    question = until(first)
    assert isinstance(question, Question)
    return question


def comes_to(database: Database, run_id: int, state: str) -> None:
    def reached() -> bool:
        with database.read() as session:
            return journal.state_of(session, run_id).state == state

    until(reached)


def take_back(database: Database, who: Principal, run_id: int) -> Question:
    with database.write() as session:
        steering.undo(session, who, run_id)
    return asked(database, run_id)


def agree(database: Database, who: Principal, question: Question, *, yes: bool = True) -> None:
    with database.write() as session:
        questions.approve(session, who, question.id, digest=question.digest, yes=yes, comment="seen")


def test_whoever_asks_for_an_undo_does_not_agree_to_it(target: Target, database: Database) -> None:
    with Executor(database, standard(Reach(("127.0.0.0/8",), ("127.0.0.1",))), Settings(poll=0.02), gate=gate) as executor:
        run_id = executor.submit(with_undo(target))
        comes_to(database, run_id, "finished")
        question = take_back(database, LIN, run_id)
        assert (question.started_by, question.undo_by) == ("starter", "lin.mei")
        assert "undo_by" not in question.request
        for who in (LIN, STARTER):
            assert questions.hindrance(who, question) == "starter"
            with pytest.raises(Denied):
                agree(database, who, question)
        assert target.paths == ["/hit/block"]
        agree(database, ZHOU, question)
        comes_to(database, run_id, "undone")
    assert target.paths == ["/hit/block", "/hit/back"]


def test_refused_an_undo_can_be_asked_for_again_by_another(target: Target, database: Database) -> None:
    with Executor(database, standard(Reach(("127.0.0.0/8",), ("127.0.0.1",))), Settings(poll=0.02), gate=gate) as executor:
        run_id = executor.submit(with_undo(target))
        comes_to(database, run_id, "finished")
        agree(database, ZHOU, take_back(database, LIN, run_id), yes=False)
        comes_to(database, run_id, "failed")
        assert target.paths == ["/hit/block"]
        question = take_back(database, ZHOU, run_id)
        assert question.undo_by == "zhou.ju"
        assert questions.hindrance(ZHOU, question) == "starter"
        agree(database, LIN, question)
        comes_to(database, run_id, "undone")
    assert target.paths == ["/hit/block", "/hit/back"]


def test_a_run_cancelled_within_a_command_is_really_taken_back(target: Target, database: Database) -> None:
    with Executor(database, standard(Reach(("127.0.0.0/8",), ("127.0.0.1",))), Settings(poll=0.02), gate=gate) as executor:
        run_id = executor.submit(with_undo(target, "/slow/20000/block"))  # would be done long after it is called off
        until(lambda: target.paths)
        with database.write() as session:
            steering.cancel(session, LIN, run_id, "a mistake")
        comes_to(database, run_id, "cancelled")
        agree(database, ZHOU, take_back(database, LIN, run_id))
        comes_to(database, run_id, "undone")
    assert target.paths == ["/slow/20000/block", "/hit/back"]


def refused_undo(target: Target, database: Database) -> int:
    """A run whose undo nobody agreed to."""
    with Executor(database, standard(Reach(("127.0.0.0/8",), ("127.0.0.1",))), Settings(poll=0.02), gate=gate) as executor:
        run_id = executor.submit(with_undo(target))
        comes_to(database, run_id, "finished")
        agree(database, ZHOU, take_back(database, LIN, run_id), yes=False)
        comes_to(database, run_id, "failed")
    return run_id


def settle(database: Database, who: Principal, run_id: int, comment: str = "rule removed at the console") -> None:
    with database.write() as session:
        (one,) = steering.left(session, run_id)
        steering.settle(session, who, run_id, one.undo.visit.number, comment)


@pytest.mark.parametrize("crashed", [False, True])
def test_settled_by_hand_while_no_executor_runs(target: Target, database: Database, crashed: bool) -> None:
    run_id = refused_undo(target, database)
    settle(database, ZHOU, run_id)
    with pytest.raises(Conflict):
        settle(database, LIN, run_id)  # before anybody has read the first
    if crashed:  # an executor took the run up for the message, and died before it wrote anything
        with database.write() as session:
            gone = {"lease_owner": "dead", "lease_until": "2026-01-01T00:00:00.000000Z"}
            session.execute(update(PlaybookRun).where(PlaybookRun.id == run_id).values(**gone))
    with Executor(database, standard(Reach(("127.0.0.0/8",), ("127.0.0.1",))), Settings(poll=0.02), gate=gate):
        comes_to(database, run_id, "undone")
    with database.read() as session:
        claimed = journal.load(session, run_id)
        assert journal.state_of(session, run_id).reason == BY_HAND
        assert steering.left(session, run_id) == []
        told = [one.comment for one in claimed.events if isinstance(one, Settled)]
        acts = [entry for entry in audit.since(session, 0) if entry.action == "playbook.settle"]
    machine = journal.machine_of(claimed)
    assert (machine.state, machine.taking_back.by_hand, told) == ("undone", True, ["rule removed at the console"])
    assert [(one.actor, one.object_id) for one in acts] == [("zhou.ju", str(run_id))]
    assert target.paths == ["/hit/block"], "nothing was sent"


def test_what_cannot_be_settled(target: Target, database: Database) -> None:
    run_id = refused_undo(target, database)
    with database.write() as session:
        (one,) = steering.left(session, run_id)
        number = one.undo.visit.number
        assert one.failure is not None
        assert one.failure.code == "APPROVAL_REFUSED"
        for who, run, visit, comment, refusal in (
            (Principal(9, "w", "", "auditor"), run_id, number, "x", Denied),
            (ZHOU, 999, number, "x", NotFound),
            (ZHOU, run_id, number + 1, "x", NotFound),
            (ZHOU, run_id, -1, "x", NotFound),
            (ZHOU, run_id, number, " \0 ", Invalid),
            (ZHOU, run_id, number, "x" * 2_001, Invalid),
        ):
            with pytest.raises(refusal):
                steering.settle(session, who, run, visit, comment)
        steering.undo(session, LIN, run_id)
        with pytest.raises(Conflict):
            steering.settle(session, ZHOU, run_id, number, "while another undo is about to begin")
