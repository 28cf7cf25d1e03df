"""A step's timeout counts what its command takes, not how long the command stands in line for a worker or a person."""

from __future__ import annotations

from pathlib import Path

from playbooks.reading import read
from playbooks.run.events import Begun, Due, Ended, Resumed, Started
from playbooks.run.machine import Machine

CONFORMANCE = Path(__file__).parents[1] / "conformance"


def machine() -> Machine:
    """A run whose first step may take 200 ms."""
    made = Machine(read((CONFORMANCE / "timeout.json").read_bytes()))
    made.apply(Started(at=0, variables={"__port__": "1"}))
    return made


def step_of(run: Machine) -> str:
    return run.ready()[0].visit.step.name


def test_standing_in_line_costs_no_time() -> None:
    run = machine()
    run.apply(Due(at=60_000))
    assert step_of(run) == "one", "it has not been tried yet"
    key = run.ready()[0].key
    run.apply(Begun(at=60_000, call=key, attempt=1))
    assert run.next_timer() == 60_200
    run.apply(Due(at=60_199))
    assert not run.ready()
    run.apply(Due(at=60_200))
    assert step_of(run) == "two", "the timeout led to on_failure"


def test_what_was_begun_in_time_is_not_put_off() -> None:
    run = machine()
    run.next_timer()  # whoever asks for timers meanwhile changes nothing
    run.apply(Begun(at=0, call=run.ready()[0].key, attempt=1))
    assert run.next_timer() == 200


def test_an_attempt_after_a_crash_has_its_own_time() -> None:
    run = machine()
    key = run.ready()[0].key
    run.apply(Begun(at=100, call=key, attempt=1))
    run.apply(Resumed(at=5_000))
    ready = run.ready()
    if not ready:  # a POST is not repeated by itself: a person says what happened, and no clock runs meanwhile
        run.apply(Due(at=90_000))
        assert [call.key for call in run.questions()] == [key]
        return
    run.apply(Begun(at=9_000, call=key, attempt=2))
    assert run.next_timer() == 9_200
    run.apply(Ended(at=9_100, call=key, attempt=2))
