"""Commands that people have to agree to: exactly these, by enough of the right people, in time; also through a restart."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select

from benchmarks.playbooks import chain
from kernel.db import Database
from operations import clock
from operations.accounts.schema import Principal
from operations.audit.models import AuditEntry
from operations.errors import Conflict, Denied, Invalid, NotFound
from playbooks.actions.contract import Plan, Request
from playbooks.actions.destination import Reach
from playbooks.actions.http_api import HttpApi
from playbooks.actions.registry import standard
from playbooks.extension import EXTENSION
from playbooks.json_text import write_json
from playbooks.rights import wrote
from playbooks.run import journal, questions, steering
from playbooks.run.events import Approved, Asked, Begun, Started
from playbooks.run.executor import Executor, Settings
from playbooks.run.gate import Gate, Need
from playbooks.run.journal import Wanted
from playbooks.run.machine import ENDED, Impossible, Machine, replay
from playbooks.run.questions import Question
from playbooks.run.state import Call
from tests.playbooks.run.target import Target, running_target
from tests.state_database import migrated

LOOPBACK = Reach(("127.0.0.0/8",), ("127.0.0.1",))
QUICK = Settings(poll=0.02)
DUTY = Principal(1, "lin.mei", "", "duty")
LEADER = Principal(2, "zhou.ju", "", "leader")
RESPONDER = Principal(3, "he.wei", "", "responder")
ANALYST = Principal(4, "xu.xi", "", "analyst")
STARTER = Principal(5, "starter", "", "responder")


def needs(number: int = 1, seconds: float = 60, roles: tuple[str, ...] = ()) -> Gate:
    def gate(call: Call) -> Need | None:
        return Need(number=number, seconds=seconds, roles=roles, why=("system",))

    return gate


@pytest.fixture
def target() -> Iterator[Target]:
    with running_target() as running:
        yield running


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = migrated(f"sqlite:///{tmp_path}/state.db")
    yield opened
    opened.close()


def one(target: Target) -> Wanted:
    return Wanted(body=write_json(chain(1, target.port)), by="starter")


def asked(database: Database, run_id: int) -> Question:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with database.read() as session:
            found = questions.open_questions(session, run_id=run_id)
        if found:
            return found[0]
        time.sleep(0.02)
    raise AssertionError("nobody is asked")


def agree(database: Database, who: Principal, question: Question, *, yes: bool = True, comment: str = "checked") -> Question:
    with database.write() as session:
        return questions.approve(session, who, question.id, digest=question.digest, yes=yes, comment=comment)


def state(database: Database, run_id: int) -> str:
    """How the run ended."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        with database.read() as session:
            found = journal.state_of(session, run_id).state
        if found in ENDED:
            return found
        time.sleep(0.02)
    raise AssertionError(f"it has not ended: {found}")


def reason(database: Database, run_id: int) -> str:
    with database.read() as session:
        return journal.state_of(session, run_id).reason


def closed(database: Database, number: int) -> Question:
    with database.read() as session:
        return questions.question(session, number)


def test_nothing_is_sent_before_two_people_agree(target: Target, database: Database) -> None:
    with Executor(database, standard(LOOPBACK), QUICK, gate=needs(2)) as executor:
        run_id = executor.submit(one(target))
        question = asked(database, run_id)
        assert (question.kind, question.number, question.why, question.started_by) == ("approval", 2, ("system",), "starter")
        assert str(target.port) in question.line
        assert question.request["command"]["command"].startswith("POST /hit/")
        agree(database, DUTY, question)
        time.sleep(0.2)
        assert target.paths == []
        assert asked(database, run_id).agreed == 1
        agree(database, LEADER, question)
        assert state(database, run_id) == "finished"
    assert len(target.paths) == 1
    found = closed(database, question.id)
    assert (found.outcome, [given.by for given in found.answers]) == ("approved", ["lin.mei", "zhou.ju"])
    with database.read() as session:
        trail = session.execute(select(AuditEntry.actor, AuditEntry.detail).where(AuditEntry.action == "playbook.approve")).all()
        events = [line.event for line in journal.lines(session, run_id)]
    assert [actor for actor, _ in trail] == ["lin.mei", "zhou.ju"]
    assert all(question.digest in detail for _, detail in trail)
    assert [event.digest for event in events if isinstance(event, Begun)] == [question.digest]


def test_who_may_not_agree(target: Target, database: Database) -> None:
    with Executor(database, standard(LOOPBACK), QUICK, gate=needs(2, roles=("duty", "leader"))) as executor:
        question = asked(database, executor.submit(one(target)))
        with pytest.raises(Denied):
            agree(database, ANALYST, question)
        with pytest.raises(Denied, match="duty, leader"):
            agree(database, RESPONDER, question)
        with pytest.raises(Denied):
            agree(database, Principal(6, "lin.mei", "", "duty", zones=frozenset({"egov"})), question)
        with pytest.raises(Denied):
            agree(database, Principal(6, "lin.mei", "", "duty", granted=frozenset({"playbooks.run"}), key_name="k"), question)
        with pytest.raises(Conflict, match="shown"):
            agree(database, DUTY, msgspec.structs.replace(question, digest="0" * 64))
        with pytest.raises(Invalid):
            agree(database, DUTY, question, yes=False, comment=" ")
        agree(database, DUTY, question)
        with pytest.raises(Conflict, match="already"):
            agree(database, DUTY, question)
        with pytest.raises(NotFound), database.write() as session:
            questions.answer(session, DUTY, question.id, done=True)
    assert target.paths == []


def test_whoever_started_the_run_does_not_agree_to_it(target: Target, database: Database) -> None:
    with Executor(database, standard(LOOPBACK), QUICK, gate=needs(1)) as executor:
        question = asked(database, executor.submit(one(target)))
        with pytest.raises(Denied, match="started"):
            agree(database, STARTER, question)


def test_whose_act_started_the_run_does_not_agree_to_it(target: Target, database: Database) -> None:
    """A trigger answered what a person did: with a key of theirs, too, they would start and approve alone."""
    with Executor(database, standard(LOOPBACK), QUICK, gate=needs(1)) as executor:
        for actor in ("lin.mei", "key:robot (lin.mei)"):
            wanted = msgspec.structs.replace(one(target), by="trigger:1", cause={"kind": "incident", "fired_by": actor})
            question = asked(database, executor.submit(wanted))
            assert questions.hindrance(DUTY, question) == "starter"
            with pytest.raises(Denied, match="what started it"):
                agree(database, DUTY, question)
            agree(database, LEADER, question)


def test_refused_it_fails_with_the_reason(target: Target, database: Database) -> None:
    with Executor(database, standard(LOOPBACK), QUICK, gate=needs(2)) as executor:
        run_id = executor.submit(one(target))
        question = asked(database, run_id)
        agree(database, DUTY, question, yes=False, comment="that is our own scanner")
        with pytest.raises(Conflict):
            agree(database, LEADER, question)
        assert state(database, run_id) == "failed"
    assert reason(database, run_id).startswith("APPROVAL_REFUSED")
    assert "lin.mei did not agree: that is our own scanner" in reason(database, run_id)
    assert closed(database, question.id).outcome == "refused"
    assert target.paths == []


def test_nobody_agrees_in_time(target: Target, database: Database) -> None:
    with Executor(database, standard(LOOPBACK), QUICK, gate=needs(1, seconds=0.3)) as executor:
        run_id = executor.submit(one(target))
        question = asked(database, run_id)
        assert state(database, run_id) == "failed"
    assert reason(database, run_id).startswith("APPROVAL_EXPIRED")
    assert closed(database, question.id).outcome == "expired"
    with pytest.raises(Conflict):
        agree(database, DUTY, question)
    assert target.paths == []


def test_a_question_outlives_its_executor(target: Target, database: Database) -> None:
    with Executor(database, standard(LOOPBACK), QUICK, gate=needs(2)) as executor:
        run_id = executor.submit(one(target))
        question = asked(database, run_id)
        agree(database, DUTY, question)
    agree(database, LEADER, question)
    with Executor(database, standard(LOOPBACK), QUICK, gate=needs(2)) as executor:
        assert state(database, run_id) == "finished"
    assert len(target.paths) == 1
    with database.read() as session:
        claimed = journal.load(session, run_id)
    again = Machine(claimed.playbook)
    replay(again, iter(claimed.events))
    assert again.state == "finished"


def test_cancelled_nobody_is_asked_any_more(target: Target, database: Database) -> None:
    with Executor(database, standard(LOOPBACK), QUICK, gate=needs(1)) as executor:
        run_id = executor.submit(one(target))
        question = asked(database, run_id)
        with database.write() as session, pytest.raises(Invalid):
            steering.cancel(session, DUTY, run_id, " ")
        with database.write() as session:
            steering.cancel(session, DUTY, run_id, "false alarm")
        assert state(database, run_id) == "cancelled"
    assert closed(database, question.id).outcome == "gone"
    with database.write() as session, pytest.raises(Conflict):
        steering.cancel(session, DUTY, run_id, "again")
    assert target.paths == []


def test_a_broken_gate_lets_nothing_through(target: Target, database: Database) -> None:
    def gate(call: Call) -> Need | None:
        raise RuntimeError("no zones today")

    with Executor(database, standard(LOOPBACK), QUICK, gate=gate) as executor:
        run_id = executor.submit(one(target))
        assert state(database, run_id) == "failed"
    assert "no zones today" in reason(database, run_id)
    assert target.paths == []


def test_a_journal_cannot_begin_what_was_not_agreed_to(target: Target, database: Database) -> None:
    with Executor(database, standard(LOOPBACK), QUICK, gate=needs(1)) as executor:
        run_id = executor.submit(one(target))
        agree(database, DUTY, asked(database, run_id))
        assert state(database, run_id) == "finished"
    with database.read() as session:
        claimed = journal.load(session, run_id)
    machine = Machine(claimed.playbook)
    before = itertools.takewhile(lambda event: not isinstance(event, Begun), claimed.events)
    replay(machine, before)
    begun = next(event for event in claimed.events if isinstance(event, Begun))
    with pytest.raises(Impossible, match="agreed"):
        machine.apply(Begun(at=begun.at, call=begun.call, attempt=1, digest="0" * 64))


def test_two_steps_kept_apart_need_two_people(target: Target, database: Database) -> None:
    document = chain(2, target.port)
    first, second = (name for name, step in document["workflow"].items() if step["type"] == "action")
    for name, approval in ((first, {"roles": ["duty", "leader"]}), (second, {"apart": [first]})):
        document["workflow"][name] |= {
            "commands": [{"type": "manual", "command": "agree?"}],
            "step_extensions": {EXTENSION: {"approval": approval}},
        }
    with Executor(database, standard(LOOPBACK), QUICK) as executor:
        run_id = executor.submit(Wanted(body=write_json(document), by="starter"))
        question = asked(database, run_id)
        for who in (RESPONDER, STARTER):
            with pytest.raises(Denied), database.write() as session:
                questions.answer(session, who, question.id, done=True)
        with database.write() as session:
            questions.answer(session, DUTY, question.id, done=True)
        end = time.monotonic() + 20
        while (following := asked(database, run_id)).id == question.id and time.monotonic() < end:
            time.sleep(0.02)
        assert following.barred == {"lin.mei"}
        with pytest.raises(Denied, match="apart"), database.write() as session:
            questions.answer(session, DUTY, following.id, done=True)
        with database.write() as session:
            questions.answer(session, RESPONDER, following.id, done=True)
        assert state(database, run_id) == "finished"


@pytest.mark.parametrize(("said", "decides"), [({}, False), ({"__n__": "7"}, False), ({"__n__": "8"}, True)])
def test_who_decides_what_it_is_about_does_not_agree_to_it(
    target: Target, database: Database, said: dict[str, str], decides: bool
) -> None:
    """A run that a trigger started: else one person could choose whom to block, and agree to it."""
    document = chain(2, target.port)
    first = next(name for name, step in document["workflow"].items() if step["type"] == "action")
    document["workflow"][first] |= {"commands": [{"type": "manual", "command": "right?"}], "out_args": ["__n__"]}
    gate = needs(1)
    with Executor(database, standard(LOOPBACK), QUICK, gate=lambda call: None if call.by_hand else gate(call)) as executor:
        run_id = executor.submit(Wanted(body=write_json(document), by="a trigger"))
        question = asked(database, run_id)
        assert (question.kind, question.own, question.known) == ("manual", True, {"__n__": "7"})
        with database.write() as session:
            questions.answer(session, DUTY, question.id, done=True, variables=said)
        end = time.monotonic() + 20
        while (following := asked(database, run_id)).id == question.id and time.monotonic() < end:
            time.sleep(0.02)
        assert following.deciders == ({"lin.mei"} if decides else frozenset())
        assert questions.hindrance(DUTY, following) == ("decider" if decides else "")
        if decides:
            with pytest.raises(Denied, match="something else"):
                agree(database, DUTY, following)
        agree(database, RESPONDER if decides else DUTY, following)
        assert state(database, run_id) == "finished"


def test_an_agreement_ends(target: Target, database: Database) -> None:
    """A retry after the time that people agreed to asks them again."""
    document = chain(1, target.port)
    step = next(step for step in document["workflow"].values() if step["type"] == "action")
    step["commands"][0]["command"] = "POST /fail/x HTTP/1.1"
    step["step_extensions"] = {EXTENSION: {"retry": {"attempts": 3, "wait": 900, "factor": 1}}}
    with Executor(database, standard(LOOPBACK), QUICK, gate=needs(1, seconds=0.8)) as executor:
        run_id = executor.submit(Wanted(body=write_json(document), by="starter"))
        first = asked(database, run_id)
        agree(database, DUTY, first)
        end = time.monotonic() + 20
        while (second := asked(database, run_id)).id == first.id and time.monotonic() < end:
            time.sleep(0.02)
        assert (second.kind, second.attempt, second.digest) == ("approval", 2, first.digest)
        assert len(target.paths) == 1
        agree(database, DUTY, second, yes=False, comment="enough")
        assert state(database, run_id) == "failed"


def test_repeating_what_two_agreed_to_needs_them_again(target: Target, database: Database) -> None:
    """After a crash nobody knows whether it was done: who started the run does not decide that, and again means asking again."""
    with database.write() as session:
        run_id = journal.request(session, one(target))
        claimed = journal.claim(session, "gone", clock.shift(clock.now(), -1), clock.now(), 1)[0]
        machine, present = Machine(claimed.playbook), int(time.time() * 1000)
        machine.apply(Started(at=present))
        call = machine.ready()[0]
        begun = [
            Started(at=present),
            Asked(at=present, call=call.key, digest=call.digest, number=2, until=present + 60_000),
            *(Approved(at=present, call=call.key, digest=call.digest, by=by) for by in ("lin.mei", "zhou.ju")),
            Begun(at=present, call=call.key, attempt=1, digest=call.digest),
        ]
        journal.append(session, [journal.event_row(run_id, number, event, []) for number, event in enumerate(begun, 1)])
    with Executor(database, standard(LOOPBACK), QUICK, gate=needs(2)):
        question = asked(database, run_id)
        assert (question.kind, question.own) == ("unknown", False)
        for who in (STARTER, ANALYST):
            with pytest.raises(Denied), database.write() as session:
                questions.decide(session, who, question.id, choice="again")
        with database.write() as session:
            questions.decide(session, RESPONDER, question.id, choice="again")
        end = time.monotonic() + 20
        while (following := asked(database, run_id)).kind != "approval" and time.monotonic() < end:
            time.sleep(0.02)
        assert (following.number, following.agreed, target.paths) == (2, 0, [])


def test_the_owner_of_a_key_is_known_however_the_key_is_called() -> None:
    owner = Principal(1, "o" * 64, "", "responder", key_name="k" * 128)
    assert wrote(owner, owner.actor.name[:160])
    assert not wrote(Principal(2, "p" * 64, "", "responder"), owner.actor.name[:160])


def test_a_value_that_no_action_can_read_ends_its_run_only(target: Target, database: Database) -> None:
    document = chain(1, target.port)
    document["playbook_variables"]["__p__"] = {"type": "string", "external": True}
    for party in (*document["agent_definitions"].values(), *document["target_definitions"].values()):
        party["port"] = "__p__:value"
    with Executor(database, standard(LOOPBACK), QUICK, gate=needs(1)) as executor:
        run_id = executor.submit(Wanted(body=write_json(document), variables={"__p__": "9" * 5_000}, by="starter"))
        agree(database, DUTY, asked(database, run_id))
        assert state(database, run_id) == "failed"
        assert executor.alive


def test_nobody_waits_to_write_while_a_plan_is_made(target: Target, database: Database) -> None:
    """Some actions ask a program first, which takes its time; SQLite has one writer."""

    class Slow(HttpApi):
        wrote = 0

        def plan(self, request: Request) -> Plan:
            with database.write():
                self.wrote += 1
            return super().plan(request)

    slow = Slow(LOOPBACK)
    with Executor(database, {"http-api": slow}, QUICK, gate=needs(1)) as executor:
        run_id = executor.submit(one(target))
        agree(database, DUTY, asked(database, run_id))
        assert state(database, run_id) == "finished"
    assert slow.wrote == 1
