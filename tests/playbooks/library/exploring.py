"""Every way through a playbook, in the machine alone: the outcome of each command is chosen, nothing is done.

A choice is taken at each question: the values that the caller gives (or forgets to give), and for each command whether it fails, or
what it gives back.
``explore`` begins with the first option everywhere (or the last that is no failure, which comes to the end of loops) and takes each
option of each question once, on the way on which it was first met: linear in steps and options. ``wander`` takes any, so it also
comes where two options have to meet; the same ones each time.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import product

from playbooks.actions.contract import Request
from playbooks.model import IfCondition, Playbook, SwitchCondition, WhileCondition
from playbooks.references import the_one
from playbooks.run.events import Begun, Due, Ended, Entry, Started, UndoAsked
from playbooks.run.machine import ENDED, Limits, Machine
from playbooks.variables import Value

_COMPARED = re.compile(r"(__\w+?__):value\s*(?:<=|>=|!=|=|<|>|IN)\s*(\([^)]*\)|'[^']*'|-?\d+|true|false)")
_MOST_RUNS = 2_000
_FAILED = "failed"
_OF_ONE_FORM: dict[str, list[Value]] = {"bool": ["true", "false"], "sha256-hash": ["ab" * 32, None]}
Choice = dict[str, Value] | str


class Run:
    """One way through: what happened, which questions were met, and what was chosen."""

    def __init__(self) -> None:
        self.trace: list[Entry] = []
        self.requests: list[Request] = []
        self.met: list[tuple[str, list[Choice]]] = []
        self.given: dict[str, Value] = {}
        self.state = ""
        self.machine: Machine | None = None


def explore(
    playbook: Playbook, library: Mapping[tuple[str, str], Playbook], samples: Mapping[str, list[Value]], *, last: bool = False
) -> Iterator[Run]:
    """Runs that take every option of every question, else the first one, or the ``last``. ``samples``: values of the caller's
    variables that cannot be derived."""
    waiting: list[list[int]] = [[]]
    taken: set[tuple[str, int]] = set()
    count = 0
    while waiting:
        chosen = waiting.pop()
        run = _run(playbook, library, samples, _following(chosen, last))
        yield run
        count += 1
        assert count < _MOST_RUNS, "too many ways"
        for place, (question, options) in enumerate(run.met):
            before = chosen[place] if place < len(chosen) else _else(options, last)
            taken.add((question, before))
            for option in range(len(options)):
                if (question, option) not in taken:
                    taken.add((question, option))
                    further = [_else(met, last) for _, met in run.met[len(chosen) : place]]
                    waiting.append([*chosen[:place], *further, option])


def wander(playbook: Playbook, library: Mapping[tuple[str, str], Playbook], samples: Mapping[str, list[Value]]) -> Iterator[Run]:
    """Runs without end, each option as likely as another, failures seldom."""
    dice = random.Random(7)

    def any_of(place: int, options: list[Choice]) -> int:
        seldom = options[-1] == _FAILED and len(options) > 1
        return len(options) - 1 if seldom and dice.random() < 0.2 else dice.randrange(len(options) - seldom)

    while True:
        yield _run(playbook, library, samples, any_of)


def take_back(run: Run) -> list[Request]:
    """Have an ended run taken back, every undo step with success; what was sent."""
    machine, sent = run.machine, []
    assert machine is not None
    machine.apply(UndoAsked(at=1))
    while machine.state not in ENDED:
        call = machine.ready()[0]
        machine.apply(Begun(at=1, call=call.key, attempt=call.attempt))
        machine.apply(Ended(at=1, call=call.key, attempt=call.attempt))
        sent.append(call.request)
    run.state = machine.state
    return sent


def _following(chosen: list[int], last: bool) -> Callable[[int, list[Choice]], int]:
    return lambda place, options: chosen[place] if place < len(chosen) else _else(options, last)


def _else(options: list[Choice], last: bool) -> int:
    return len(options) - 1 - (options[-1] == _FAILED and len(options) > 1) if last else 0


def _run(
    playbook: Playbook,
    library: Mapping[tuple[str, str], Playbook],
    samples: Mapping[str, list[Value]],
    choice_of: Callable[[int, list[Choice]], int],
) -> Run:
    run = Run()

    def choose(question: str, options: list[Choice]) -> Choice:
        chosen = choice_of(len(run.met), options)
        run.met.append((question, options))
        return options[chosen]

    given: dict[str, Value] = {}
    for name, variable in playbook.playbook_variables.items():
        if variable.external:
            values = samples.get(name) or _values(playbook, name)
            missing: list[Value] = [None] if variable.value is None and None not in values else []
            choice = choose(name, [{name: value} for value in (*values, *missing)])
            assert isinstance(choice, dict)
            given |= choice
    run.given = given
    machine = Machine(playbook, library, Limits(rounds=50, visits=2_000))
    now = 0
    machine.apply(Started(at=now, variables=given))
    while machine.state not in ENDED:
        ready = [*machine.ready()]
        if not ready:
            asked = machine.questions()
            if not asked:
                now = machine.next_timer() or now + 1
                machine.apply(Due(at=now))
                continue
            key, attempt = asked[0].key, asked[0].attempt
        else:
            call = ready[0]
            key, attempt = call.key, call.attempt
            machine.apply(Begun(at=now, call=key, attempt=attempt))
            run.requests.append(call.request)
        request = run.requests[-1] if ready else asked[0].request
        inner = next(one for one in (playbook, *library.values()) if request.step_id in one.workflow)
        choice = choose(request.step_id, [*_outcomes(inner, request, samples), _FAILED])
        if choice == _FAILED:
            machine.apply(Ended(at=now, call=key, attempt=attempt, code="ACTION_FAILED", message="chosen"))
        else:
            assert isinstance(choice, dict)
            machine.apply(Ended(at=now, call=key, attempt=attempt, variables=choice))
    run.trace, run.state, run.machine = machine.taken_trace(), machine.state, machine
    return run


def _outcomes(playbook: Playbook, request: Request, samples: Mapping[str, list[Value]]) -> list[Choice]:
    """What a command may give back. People who do not know better leave what came from outside; one way they set it right, one way
    they say that it is not known."""
    outside = [name for name in request.out_args if playbook.playbook_variables[name].external]
    found_out = [name for name in request.out_args if name not in outside]
    values = [_values(playbook, name) for name in found_out]
    rows: list[Choice] = [dict(zip(found_out, row, strict=True)) for row in product(*values)]
    right: Choice = {name: (samples.get(name) or _values(playbook, name))[0] for name in outside}
    unknown: Choice = dict.fromkeys(outside)
    return [*rows, rows[0] | unknown, rows[0] | right] if right and isinstance(rows[0], dict) else rows


def _values(playbook: Playbook, name: str) -> list[Value]:
    """Values of a variable that make a difference somewhere: all of a bool, those on both sides of each number, each case."""
    variable = playbook.playbook_variables[name]
    if variable.type in _OF_ONE_FORM:
        return _OF_ONE_FORM[variable.type]
    told: set[str] = set()
    for step in playbook.workflow.values():
        if isinstance(step, IfCondition | WhileCondition):
            told |= {text for one, text in _COMPARED.findall(step.condition) if one == name}
        elif isinstance(step, SwitchCondition) and the_one(step.switch) == name:
            told |= {f"'{case}'" for case in step.cases}
    if variable.type in ("integer", "long"):
        numbers = {int(text) + more for text in told for more in (-1, 0, 1)}
        return [str(number) for number in sorted(numbers, reverse=True)] or ["1"]
    texts = sorted({text for one in told for text in re.findall(r"'([^']*)'", one)})
    found: list[Value] = [*texts, "x"]
    return [*found, None] if variable.type == "uri" else found
