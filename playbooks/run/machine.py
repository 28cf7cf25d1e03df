"""The interpreter of a run: pure and deterministic. Events go in, what may be begun comes out; it reads no clock and does nothing.

    machine = Machine(playbook)
    machine.apply(Started(at=now, variables={"__ip__": "10.0.0.7"}))
    for call in machine.ready(): ...           # journal Begun, then carry call.request out
    machine.apply(Begun(at=now, call=call.key, attempt=1))
    machine.apply(Ended(at=now, call=call.key, attempt=1))
    machine.next_timer()                       # when Due has to come; None = no timer
    machine.state                              # running | waiting (for a person) | finished | failed | cancelled | undone

Invariants. The same events give the same state, so a run is read back from its journal. After every event the run has ended, or
something is ready, begun, asked of a person, or waits for a timer: else it fails as STUCK, so no run hangs for ever.

Control flow is a stack of branches (CACAO 2.0, 4): reaching an end step inside a branch goes back to the step that opened it. A
failed step goes to its on_failure; without one its branch has failed. A step with a failed branch has failed itself, once ALL its
branches are over, and goes to its own on_failure. A failure that comes to the top so goes to workflow_exception; the run is
failed all the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache, partial

import msgspec

from playbooks.actions.contract import Failure
from playbooks.conditions import Condition, ConditionError, parse
from playbooks.extension import ExtensionError, options_of
from playbooks.model import (
    Action,
    End,
    IfCondition,
    Parallel,
    Playbook,
    PlaybookAction,
    Start,
    Step,
    SwitchCondition,
    WhileCondition,
)
from playbooks.references import the_one
from playbooks.run.events import (
    Approved,
    Asked,
    Begun,
    Cancelled,
    Decided,
    Due,
    Ended,
    Entry,
    Event,
    Resumed,
    Settled,
    Started,
    UndoAsked,
)
from playbooks.run.resolve import request_for
from playbooks.run.state import Branch, Call, Consent, Frame, Visit
from playbooks.run.taking_back import TakingBack
from playbooks.run.timers import Timers
from playbooks.variables import Value, VariableError, opening, substitute
from playbooks.vocabulary import is_by_hand, kind_of

Library = Mapping[tuple[str, str], Playbook]
"""(id, modified) → playbook; with modified "" the newest one."""

ENDED = frozenset({"finished", "failed", "cancelled", "undone"})
TIMEOUT = "ACTION_TIMEOUT"
UNKNOWN = "UNKNOWN_OUTCOME"
REFUSED, EXPIRED = "APPROVAL_REFUSED", "APPROVAL_EXPIRED"
_parse = lru_cache(maxsize=4096)(parse)


class Limits(msgspec.Struct, frozen=True):
    """Ceilings of a run; milliseconds.

    rounds     of a while step            depth    of playbooks that call playbooks
    visits     steps carried out in all   events   in the journal of one run
    action_ms  for an action without a timeout; manual_ms where a person carries it out; run_ms for the whole run
    """

    rounds: int = 1_000
    depth: int = 8
    visits: int = 20_000
    events: int = 50_000
    action_ms: int = 300_000
    manual_ms: int = 7 * 86_400_000
    run_ms: int = 30 * 86_400_000


class Impossible(Exception):
    """An event does not fit the state: the journal is not of this playbook, or a mistake of ours."""


class Machine:
    """One run."""

    def __init__(self, playbook: Playbook, library: Library | None = None, limits: Limits = Limits()) -> None:
        self.playbook = playbook
        self.state = "new"
        self.failure: Failure | None = None
        self.cancelling = ""
        self.frame: Frame | None = None
        self.taking_back = TakingBack()
        self.abandoned: list[str] = []
        """Keys of begun calls that nobody waits for any more; whoever carries them out may stop. Emptied by the reader."""
        self._library = library or {}
        self._limits = limits
        self._trace: list[Entry] = []
        self._calls: dict[str, Call] = {}
        self._ready: dict[str, Call] = {}
        self._open: dict[int, Visit] = {}
        self._timers = Timers(lambda: self.state not in ENDED)
        self._work: deque[Callable[[], None]] = deque()
        self._visits = self._events = self._at = 0

    # -- what comes out -------------------------------------------------------------------------------------------------------

    def ready(self) -> list[Call]:
        """Calls that may be begun, the longest waiting first."""
        return list(self._ready.values())

    @property
    def has_ready(self) -> bool:
        """Whether anything may be begun."""
        return bool(self._ready)

    @property
    def open_calls(self) -> Iterable[str]:
        """Keys of all calls that are not over."""
        return self._calls

    def begun(self) -> list[Call]:
        """Calls that are being carried out by the machine's executor."""
        return [call for call in self._calls.values() if call.phase == "begun" and not call.by_hand]

    def questions(self) -> list[Call]:
        """Calls that wait for people: what is done by hand, what they have to agree to, and commands whose outcome is unknown."""
        return [call for call in self._calls.values() if call.asks]

    def next_timer(self) -> int | None:
        """The moment at which the next Due has to come."""
        return self._timers.next()

    def deadline(self, call: Call) -> int | None:
        """When the step of ``call`` runs out of time; None where its clock stands still."""
        return self._timers.deadline(call)

    def taken_trace(self) -> list[Entry]:
        """What happened since the last call."""
        taken, self._trace = self._trace, []
        return taken

    def variables(self) -> dict[str, Value]:
        """The global variables as they are now."""
        return {name: variable.value for name, variable in self.frame.scope.items()} if self.frame else {}

    # -- what goes in ---------------------------------------------------------------------------------------------------------

    def apply(self, event: Event) -> None:
        """Let ``event`` happen. Raises Impossible."""
        self._at = event.at
        self._events += 1
        match event:
            case Started():
                self._start(event)
            case Asked():
                self._ask(event)
            case Approved():
                self._approve(event)
            case Begun():
                self._begin(event)
            case Ended():
                self._end(event)
            case Due():
                self._due()
            case Resumed():
                self._resume()
            case Decided():
                self._decide(event)
            case Cancelled():
                self._cancel(event)
            case UndoAsked():
                self._start_undo(event)
            case Settled():
                self._settle_by_hand(event)
        self._settle()

    def _settle(self) -> None:
        while self._work:
            self._work.popleft()()
        if self.state in ENDED or self.state == "new":
            return
        if self._events >= self._limits.events:
            self._stop("failed", Failure("TOO_LONG", "", f"the run has more than {self._limits.events:,} events"))
        elif self.cancelling and not self.begun():
            self._stop("cancelled", None)
        elif (
            self._ready
            or any(call.phase in ("begun", "retry") and not call.by_hand for call in self._calls.values())
            or any(visit.phase == "delay" for visit in self._open.values())
        ):
            self.state = "running"
        elif self._calls:
            self.state = "waiting"
        else:
            self._stop("failed", Failure("STUCK", "", "there is nothing left to do, and no end was reached"))

    # -- beginning and end ----------------------------------------------------------------------------------------------------

    def _start(self, event: Started) -> None:
        if self.state != "new":
            raise Impossible("the run has been started already")
        self.state = "running"
        self._timer(self._limits.run_ms, "run", None)
        self._tell(Entry(event="run", outcome="started", to=self.playbook.id))
        try:
            scope = opening(self.playbook, event.variables)
        except VariableError as error:
            self._stop("failed", Failure("VARIABLE_ERROR", "", str(error)))
            return
        self.frame = Frame(self.playbook, scope, None, 1)
        self._enter(Branch(self.frame, "main", scope, None), self.playbook.workflow_start)

    def _stop(self, state: str, failure: Failure | None) -> None:
        """The run ends now, whatever is still open."""
        self.abandoned += [call.key for call in self.begun()]
        self.state, self.failure, self.cancelling = state, failure, ""
        for waiting in (self._calls, self._ready, self._open, self._timers, self._work):
            waiting.clear()
        self._tell(
            Entry(
                event="run",
                outcome=state,
                code=failure.code if failure else "",
                step=failure.step if failure else "",
                message=failure.message if failure else "",
            )
        )

    def _frame_over(self, frame: Frame, failure: Failure | None) -> None:
        exception = frame.playbook.workflow_exception
        if failure is not None and exception and not frame.handling:
            frame.handling, frame.failure = True, failure
            label = f"{frame.opened_by.branch.label}/{frame.opened_by.step_id}" if frame.opened_by else ""
            branch = Branch(frame, f"{label}/exception" if label else "exception", frame.scope, None)
            self._tell(
                Entry(event="exception", to=exception, branch=branch.label, code=failure.code, step=failure.step,
                      message=failure.message)
            )  # fmt: skip
            self._enter(branch, exception, failure)
            return
        failure = frame.failure or failure
        if frame.opened_by is None:
            self._stop("failed" if failure else "finished", failure)
        else:
            self._come_back(frame, frame.opened_by, failure)

    def _come_back(self, frame: Frame, visit: Visit, failure: Failure | None) -> None:
        """A called playbook is over: only its out_args come back."""
        if failure is None and isinstance(visit.step, PlaybookAction):
            try:
                for name in map(the_one, visit.step.out_args):
                    if name not in frame.scope:
                        raise VariableError(f"the playbook {frame.playbook.id} has no variable {name} to give back")
                    self._assign(visit, name, frame.scope[name].value)
            except VariableError as error:
                failure = Failure("VARIABLE_ERROR", visit.step_id, str(error))
        self._leave(visit, failure)

    # -- steps ----------------------------------------------------------------------------------------------------------------

    def _enter(self, branch: Branch, step_id: str, cause: Failure | None = None) -> None:
        self._work.append(partial(self._visit, branch, step_id, cause))

    def _visit(self, branch: Branch, step_id: str, cause: Failure | None) -> None:
        step = branch.frame.playbook.workflow.get(step_id)
        self._visits += 1
        if step is None:
            self._branch_over(branch, Failure("STEP_UNKNOWN", step_id, "the workflow has no such step"))
            return
        if self._visits > self._limits.visits:
            self._stop("failed", Failure("TOO_LONG", step_id, f"the run has gone through {self._limits.visits:,} steps"))
            return
        visit = Visit(self._visits, branch, step_id, step, cause)
        self._open[visit.number] = visit
        self._tell(visit.entry("step", code=cause.code if cause else "", message=cause.step if cause else ""))
        if step.delay > 0:
            visit.phase = "delay"
            self._timer(step.delay, "delay", visit)
            self._tell(visit.entry("delay", value=str(step.delay)))
        else:
            self._run(visit)

    def _run(self, visit: Visit) -> None:
        step = visit.step
        ceiling = step.timeout or self._ceiling(step)
        if ceiling:
            self._timer(ceiling, "timeout", visit)
        try:
            match step:
                case Start():
                    self._leave(visit, None)
                case End():
                    self._leave(visit, None)
                case Action():
                    self._run_action(visit, step)
                case PlaybookAction():
                    self._run_playbook(visit, step)
                case Parallel():
                    self._run_parallel(visit, step)
                case IfCondition():
                    self._run_if(visit, step)
                case WhileCondition():
                    self._run_round(visit, step)
                case SwitchCondition():
                    self._run_switch(visit, step)
        except ConditionError as error:
            self._leave(visit, Failure("CONDITION_ERROR", visit.step_id, str(error)))
        except (VariableError, ExtensionError) as error:
            self._leave(visit, Failure("VARIABLE_ERROR", visit.step_id, str(error)))

    def _ceiling(self, step: Step) -> int:
        if not isinstance(step, Action):
            return 0  # what lies inside has ceilings of its own
        by_hand = any(is_by_hand(one.type, kind_of(step.agent)) for one in step.commands)
        return self._limits.manual_ms if by_hand else self._limits.action_ms

    def _run_action(self, visit: Visit, step: Action) -> None:
        visit.phase = "action"
        visit.places = _places(step)
        self._next_call(visit)

    def _run_playbook(self, visit: Visit, step: PlaybookAction) -> None:
        outer = visit.branch.frame
        inner = self._library.get((step.playbook_id, step.playbook_version))
        if inner is None:
            message = f"the playbook {step.playbook_id} {step.playbook_version}".rstrip() + " is not known here"
            self._leave(visit, Failure("PLAYBOOK_UNKNOWN", visit.step_id, message))
            return
        if outer.depth >= self._limits.depth:
            message = f"playbooks call one another more than {self._limits.depth} deep"
            self._leave(visit, Failure("TOO_DEEP", visit.step_id, message))
            return
        given: dict[str, Value] = {}
        for name in map(the_one, step.in_args):
            if name not in visit.scope:
                raise VariableError(f"the variable {name} of in_args is not declared")
            given[name] = visit.scope[name].value
        visit.phase = "playbook"
        frame = Frame(inner, opening(inner, given), visit, outer.depth + 1)
        self._tell(visit.entry("playbook", to=inner.id, value=inner.modified))
        self._enter(Branch(frame, f"{visit.branch.label}/{visit.step_id}", frame.scope, None), inner.workflow_start)

    def _run_parallel(self, visit: Visit, step: Parallel) -> None:
        if not step.next_steps:
            self._leave(visit, Failure("NO_WAY_ON", visit.step_id, "the step has no next_steps"))
        for place, first in enumerate(step.next_steps):
            self._open_branch(visit, f"next_steps[{place}]", first)

    def _run_if(self, visit: Visit, step: IfCondition) -> None:
        true = self._holds(visit, step.condition)
        name, first = ("on_true", step.on_true) if true else ("on_false", step.on_false)
        if first:
            self._open_branch(visit, name, first)
        else:
            self._leave(visit, None)

    def _run_round(self, visit: Visit, step: WhileCondition) -> None:
        if not self._holds(visit, step.condition):
            self._leave(visit, None)
            return
        ceiling = options_of(step).rounds or self._limits.rounds
        if visit.rounds >= ceiling:
            message = f"the condition is still true after {ceiling:,} rounds"
            self._leave(visit, Failure("TOO_MANY_ROUNDS", visit.step_id, message))
            return
        visit.rounds += 1
        self._tell(visit.entry("round", value=str(visit.rounds)))
        self._open_branch(visit, f"on_true#{visit.rounds}", step.on_true)

    def _run_switch(self, visit: Visit, step: SwitchCondition) -> None:
        value = substitute(f"{the_one(step.switch)}:value", visit.scope)
        key = value if value in step.cases and value != "default" else "default"
        self._tell(visit.entry("case", value=value, to=step.cases.get(key, "")))
        if key in step.cases:
            self._open_branch(visit, f"cases.{key}", step.cases[key])
        else:
            self._leave(visit, None)

    def _holds(self, visit: Visit, text: str) -> bool:
        condition: Condition = _parse(text)
        true = condition.evaluate(visit.scope)
        self._tell(visit.entry("condition", value="true" if true else "false"))
        return true

    def _open_branch(self, visit: Visit, name: str, first: str) -> None:
        visit.phase = "branches"
        visit.open_branches += 1
        branch = Branch(visit.branch.frame, f"{visit.branch.label}/{visit.step_id}[{name}]", visit.scope, visit)
        self._tell(visit.entry("branch", to=first, value=name))
        self._enter(branch, first)

    def _branch_over(self, branch: Branch, failure: Failure | None) -> None:
        if branch.undo:
            if failure is None:
                self.taking_back.taken_back()
            else:
                self.taking_back.failed(failure)
            self._take_back_next()
            return
        visit = branch.opened_by
        if visit is None:
            self._frame_over(branch.frame, failure)
            return
        visit.open_branches -= 1
        visit.failure = visit.failure or failure
        if visit.open_branches:
            return
        if isinstance(visit.step, Parallel):
            self._tell(visit.entry("joined"))
        if isinstance(visit.step, WhileCondition) and visit.failure is None:
            self._work.append(partial(self._again, visit))
        else:
            self._leave(visit, visit.failure)

    def _again(self, visit: Visit) -> None:
        """The next round of a while step, with its condition asked anew."""
        if visit.phase == "done" or not isinstance(visit.step, WhileCondition):
            return
        try:
            self._run_round(visit, visit.step)
        except ConditionError as error:
            self._leave(visit, Failure("CONDITION_ERROR", visit.step_id, str(error)))

    def _leave(self, visit: Visit, failure: Failure | None) -> None:
        """The step is over; what comes next."""
        visit.phase = "done"
        self._open.pop(visit.number, None)
        step, branch = visit.step, visit.branch
        self._tell(
            visit.entry(
                "left",
                outcome="failure" if failure else "success",
                code=failure.code if failure else "",
                message=failure.message if failure else "",
            )
        )
        if branch.undo:
            self._branch_over(branch, failure)
            return
        self.taking_back.refresh(visit)
        if isinstance(step, End):
            self._branch_over(branch, None)
        elif failure is None:
            following = step.on_completion or step.on_success
            if following:
                self._enter(branch, following)
            else:
                self._branch_over(branch, Failure("NO_WAY_ON", visit.step_id, "no step follows this one"))
        elif step.on_failure:
            self._enter(branch, step.on_failure, failure)
        else:
            self._branch_over(branch, failure)

    # -- calls ----------------------------------------------------------------------------------------------------------------

    def _next_call(self, visit: Visit) -> None:
        step, frame = visit.step, visit.branch.frame
        if not visit.places or not isinstance(step, Action):
            self._leave(visit, None)
            return
        place = visit.places.pop(0)
        key = f"{visit.number}.{place[0]}.{step.targets.index(place[1]) if place[1] else 0}"
        try:
            request = request_for(frame.playbook, visit.step_id, step, place, visit.scope, key, visit.cause, frame.varying)
        except (VariableError, ExtensionError, ValueError) as error:
            self._leave(visit, Failure("VARIABLE_ERROR", visit.step_id, str(error)))
            return
        call = Call(key, visit, place, request)
        visit.call = self._calls[key] = call
        self._make_ready(call)

    def _ask(self, event: Asked) -> None:
        """People have to agree first. The step's own clock stands still meanwhile, and begins anew when they have."""
        call = self._ready.pop(event.call, None)
        if call is None:
            raise Impossible(f"the call {event.call} is not ready")
        call.phase = "approval"
        call.consent = Consent(event.digest, event.number, event.roles, event.until, event.why)
        call.consent.timer = self._timer(max(0, event.until - self._at), "approval", call.visit)
        self._tell(call.entry("asked", value=str(event.number), message=event.why))

    def _approve(self, event: Approved) -> None:
        call = self._calls.get(event.call)
        consent = call.consent if call is not None and call.phase == "approval" else None
        if call is None or consent is None or consent.digest != event.digest or event.by in consent.given:
            self._tell(Entry(event="late", message=event.call))
            return
        self._tell(call.entry("approved", outcome="yes" if event.yes else "no", value=event.by, message=event.comment))
        if not event.yes:
            self._fail(
                call, REFUSED, f"{event.by} did not agree: {event.comment}" if event.comment else f"{event.by} did not agree"
            )
            return
        consent.given.append(event.by)
        if consent.granted:
            self._make_ready(call)
            self._restart_timeout(call.visit)

    def _begin(self, event: Begun) -> None:
        call = self._ready.pop(event.call, None)
        if call is None or call.attempt != event.attempt:
            raise Impossible(f"the call {event.call} is not ready")
        if call.consent is not None and event.digest and event.digest != call.consent.digest:
            raise Impossible(f"the call {event.call} is not what people agreed to")
        call.phase = "begun"
        self._timers.put_off(call.visit, self._at - call.since)
        self.taking_back.remember(call.visit)
        self._tell(call.entry("begun", attempt=call.attempt))

    def _end(self, event: Ended) -> None:
        call = self._calls.get(event.call)
        if call is None or call.phase != "begun" or call.attempt != event.attempt:
            self._tell(Entry(event="late", message=event.call, code=event.code))
            return
        if not event.code:
            self._tell(call.entry("ended", attempt=call.attempt, outcome="success"))
            self._written(call, event.variables)
            return
        self._tell(call.entry("ended", attempt=call.attempt, outcome="failure", code=event.code, message=event.message))
        retry = call.request.options.retry
        if event.again and call.attempt < retry.attempts and not self.cancelling:
            pause = retry.pause(call.attempt)
            call.attempt, call.phase = call.attempt + 1, "retry"
            self._timer(pause, "retry", call.visit)
            self._tell(call.entry("retry", attempt=call.attempt, value=str(pause)))
            return
        if call.by_hand and len(call.visit.places) == len(_places(call.visit.step)) - 1:
            self.taking_back.forget(call.visit)  # a person says that nothing of the step was done
        self._fail(call, event.code, event.message)

    def _written(self, call: Call, variables: Mapping[str, Value]) -> None:
        """A command has been carried out: what it gives back is written, and the next one comes."""
        self._drop(call)
        try:
            for name, value in variables.items():
                if name in call.request.out_args:
                    self._assign(call.visit, name, value)
                else:
                    self._tell(call.visit.entry("dropped", variable=name))
        except VariableError as error:
            self._leave(call.visit, Failure("VARIABLE_ERROR", call.visit.step_id, str(error)))
            return
        self.taking_back.refresh(call.visit)
        if not self.cancelling:
            self._next_call(call.visit)
        elif call.visit.branch.undo and not call.visit.places:
            self.taking_back.taken_back()  # the undo ends here, but this step is taken back

    def _fail(self, call: Call, code: str, message: str) -> None:
        self._drop(call)
        if not self.cancelling:
            self._leave(call.visit, Failure(code, call.visit.step_id, message))

    def _drop(self, call: Call) -> None:
        call.phase = "over"
        self._calls.pop(call.key, None)
        self._ready.pop(call.key, None)
        call.visit.call = None

    def _assign(self, visit: Visit, name: str, value: Value) -> None:
        visit.scope.assign(name, value)
        self._tell(visit.entry("written", variable=name))

    # -- timers ---------------------------------------------------------------------------------------------------------------

    def _timer(self, milliseconds: int, kind: str, visit: Visit | None) -> int:
        return self._timers.start(self._at + milliseconds, kind, visit)

    def _restart_timeout(self, visit: Visit) -> None:
        self._timer(visit.step.timeout or self._ceiling(visit.step), "timeout", visit)

    def _due(self) -> None:
        while (timer := self._timers.due(self._at)) is not None:
            visit = timer.visit
            if visit is None:
                self._stop("failed", Failure("TOO_LONG", "", "the run has lasted longer than runs may"))
            elif timer.kind == "delay":
                self._run(visit)
            elif timer.kind == "retry" and visit.call is not None:
                self._make_ready(visit.call)
            elif timer.kind == "approval" and visit.call is not None:
                self._fail(visit.call, EXPIRED, "nobody agreed in time")
            elif timer.kind == "timeout":
                self._time_out(visit)
            while self._work:  # what follows happens before the next timer is looked at
                self._work.popleft()()

    def _make_ready(self, call: Call) -> None:
        """The step's clock stands still until the call is begun: it counts what a command takes, not how long it stands in line."""
        call.phase, call.since = "ready", self._at
        self._ready[call.key] = call

    def _time_out(self, visit: Visit) -> None:
        inside = [one for one in self._open.values() if self._lies_in(one, visit)]
        for one in [*inside, visit]:
            one.phase = "done"
            self._open.pop(one.number, None)
            if one.call is not None:
                if one.call.phase == "begun" and not one.call.by_hand:
                    self.abandoned.append(one.call.key)
                self._drop(one.call)
        message = f"{TIMEOUT}: the step {visit.step_id} took too long"
        self._tell(visit.entry("timeout"))
        if self.cancelling:
            return
        self._leave(visit, Failure(TIMEOUT, visit.step_id, message))

    @staticmethod
    def _lies_in(visit: Visit, outer: Visit) -> bool:
        up: Visit | None = visit
        while up is not None:
            up = up.branch.opened_by or up.branch.frame.opened_by
            if up is outer:
                return True
        return False

    # -- crash, people, cancellation ------------------------------------------------------------------------------------------

    def _resume(self) -> None:
        for call in self.begun():
            if self.cancelling or not call.repeatable:
                call.phase = "unknown"
                self._tell(call.entry("unknown", attempt=call.attempt))
            else:
                call.attempt += 1
                self._make_ready(call)
                self._restart_timeout(call.visit)

    def _decide(self, event: Decided) -> None:
        call = self._calls.get(event.call)
        if call is None or call.phase != "unknown":
            self._tell(Entry(event="late", message=event.call))
            return
        self._tell(call.entry("decided", value=event.choice))
        if event.choice == "done":
            self._written(call, event.variables)
        elif event.choice == "again":
            call.attempt, call.consent = call.attempt + 1, None  # what people agreed to has been tried
            self._make_ready(call)
            self._restart_timeout(call.visit)
        else:
            self._fail(call, UNKNOWN, "nobody knows whether the command was carried out; a person let the step fail")

    def _cancel(self, event: Cancelled) -> None:
        if self.state in ENDED or self.cancelling:
            return
        self.cancelling = event.reason or "cancelled"
        self._tell(Entry(event="cancel", message=self.cancelling))
        running = self.begun()
        self.abandoned += [call.key for call in running]
        for call in list(self._calls.values()):
            if call not in running:
                self._drop(call)
        for visit in list(self._open.values()):
            if visit.phase == "delay":
                visit.phase = "done"

    # -- taking back ----------------------------------------------------------------------------------------------------------

    def _start_undo(self, event: UndoAsked) -> None:
        """Take back whatever has not been taken back yet."""
        if self.state not in ENDED:
            if not self.taking_back.has_begun:
                raise Impossible("only a run that has ended can be taken back")
            self._tell(Entry(event="late", message="undo"))  # it is being taken back
            return
        self.state = "running"
        self._timer(self._limits.run_ms, "run", None)
        self._tell(Entry(event="undo", value=str(len(self.taking_back))))
        self.taking_back.begin(event.by)
        self._take_back_next()

    def _take_back_next(self) -> None:
        undo = self.taking_back.next()
        if undo is None:
            failure = self.taking_back.failure
            self._stop("failed" if failure else "undone", failure)
            return
        branch = undo.visit.branch
        label = f"undo/{branch.label}/{undo.visit.step_id}"
        self._enter(Branch(branch.frame, label, undo.scope.copied(), None, undo=True), undo.step)

    def _settle_by_hand(self, event: Settled) -> None:
        """Nothing left: the run is taken back."""
        undo = self.taking_back.settle(event.visit) if self.state in ENDED else None
        if undo is None:
            self._tell(Entry(event="late", message="settled"))
            return
        self._tell(undo.visit.entry("settled", message=event.comment))
        if not self.taking_back:
            self._stop("undone", None)

    def _tell(self, entry: Entry) -> None:
        self._trace.append(entry)


def _places(step: Step) -> list[tuple[int, str]]:
    """Command and target of every call of a step, in order."""
    if not isinstance(step, Action):
        return []
    targets = step.targets or [""]  # without targets the agent acts on itself
    return [(number, target) for number in range(len(step.commands)) for target in targets]


def replay(machine: Machine, events: Iterator[Event]) -> list[Entry]:
    """Let all ``events`` happen; returns the whole trace. Raises Impossible."""
    for event in events:
        machine.apply(event)
    return machine.taken_trace()
