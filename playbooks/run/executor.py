"""Many runs at once: one thread decides and writes, a fixed number of workers carries commands out.

The deciding thread goes round: it lets everything happen that has come in (outcomes, timers, messages), begins what may be begun,
one command of each run in turn, writes ALL of that in one transaction, and only then hands the commands to the workers. So a
command is in the journal before it begins, an outcome before anything follows from it, and the cost of a commit is shared by all
runs of a round.

    with Executor(database, kinds) as executor:
        run_id = executor.submit(Wanted(body=document, by="analyst"))
        executor.wait(run_id, 30)

Bounds: ``workers`` commands at a time, a few begun ahead; ``runs`` runs in memory, further ones wait in the database;
runs that wait for a person or a far timer are given back to it. Several executors may work on one database (journal: leases).
"""

from __future__ import annotations

import heapq
import logging
import os
import queue
import secrets as random_secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from types import TracebackType
from typing import Any, TypeAlias

import msgspec
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from kernel.db import Database
from kernel.errors import LiandunError, StateUnavailable
from operations import clock
from playbooks.actions.contract import ActionError, ActionKind, Plan, Secrets, no_secrets
from playbooks.actions.manual import asking as asking_people
from playbooks.model import Playbook
from playbooks.run import asking, journal
from playbooks.run.events import Asked, Ended, Entry, Event, Resumed, Started
from playbooks.run.events import Due as TimerDue
from playbooks.run.gate import Gate, open_gate
from playbooks.run.happenings import begun, event_of, now, plain, wanted_of
from playbooks.run.journal import Claimed, Wanted
from playbooks.run.live import Live
from playbooks.run.machine import ENDED, Limits, Machine, replay
from playbooks.run.messages import Message
from playbooks.run.pace import Pace
from playbooks.run.state import Call
from playbooks.run.workers import Outcome, Task, Workers

log = logging.getLogger(__name__)
_GRACE = 1.0

_Accepted: TypeAlias = "list[tuple[Future[int], Wanted, int, bool]]"
"""Runs that were asked for: who waits for the id, what, the id, and whether this executor has it."""
_Written: TypeAlias = "tuple[_Accepted, dict[int, frozenset[asking.Key]]]"
"""What a transaction led to: runs that were asked for, and the open questions of runs whose questions changed."""

Listener = Callable[[int, Event, list[Entry]], None]
"""Told of every event after it has been written: run, event, what it led to. Called in the deciding thread: be quick."""


class Settings(msgspec.Struct, frozen=True):
    """How an executor works; seconds.

    workers  commands at a time          runs   runs in memory
    ahead    commands in the journal as begun for each worker while they come back quickly (run.pace); after a crash as many may
             be unknown
    lease    a run whose executor was not heard of for so long is taken over
    poll     how often the database is asked for runs and messages of others
    park     a run that waits longer than this is given back to the database
    """

    workers: int = 8
    ahead: int = 6
    runs: int = 256
    lease: float = 15.0
    poll: float = 0.25
    park: float = 10.0
    limits: Limits = Limits()


class Executor:
    """Runs playbooks until it is stopped."""

    def __init__(
        self,
        database: Database,
        kinds: Mapping[str, ActionKind],
        settings: Settings = Settings(),
        *,
        secrets: Secrets = no_secrets,
        gate: Gate = open_gate,
        tell: asking.Tell = asking.tell_nobody,
        listener: Listener | None = None,
    ) -> None:
        self.name = f"{os.uname().nodename[:32]}:{os.getpid()}:{random_secrets.token_hex(6)}"
        self._database = database
        self._kinds = kinds
        self._settings = settings
        self._secrets = secrets
        self._gate = gate
        self._tell_people = tell
        self._listener = listener
        self._inbox: queue.SimpleQueue[Outcome | tuple[Wanted, Future[int]] | None] = queue.SimpleQueue()
        self._live: dict[int, Live] = {}
        self._line: deque[Live] = deque()
        self._timers: list[tuple[int, int]] = []
        self._flying: dict[tuple[int, str], Task] = {}
        self._pace = Pace(settings.workers, settings.ahead)
        self._wanted: list[tuple[Wanted, Future[int]]] = []
        self._rows: list[tuple[Live, Event, list[Entry]]] = []
        self._touched: dict[int, Live] = {}
        self._plans: dict[Call, Plan] = {}
        self._taken: list[int] = []
        self._to_start: list[Task] = []
        self._looked = self._renewed = 0.0
        self._stopping = threading.Event()
        self._over = threading.Condition()
        self._ended: dict[int, str] = {}
        self._thread = threading.Thread(target=self._go, name="playbooks", daemon=True)
        self._workers: Workers | None = None

    # -- for others -----------------------------------------------------------------------------------------------------------

    def start(self) -> Executor:
        """Begin. Returns itself."""
        self._workers = Workers(self._settings.workers, self._kinds, self._inbox.put, self._secrets)
        self._thread.start()
        return self

    def stop(self, patience: float = 10.0) -> None:
        """Begin nothing more, let the workers end what they do (``patience`` seconds), write that down and give the runs back."""
        self._stopping.set()
        self._inbox.put(None)
        self._thread.join(patience + 5)

    def __enter__(self) -> Executor:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def submit(self, wanted: Wanted) -> int:
        """Ask for a run; returns its id when that is written. Raises what journal.request_all raises."""
        return self.submit_soon(wanted).result()

    def submit_soon(self, wanted: Wanted) -> Future[int]:
        """Ask for a run without waiting; the future has its id when it is written, and not before."""
        future: Future[int] = Future()
        if self._stopping.is_set():
            future.set_exception(LiandunError("the executor has been stopped"))
            return future
        journal.check_wanted(wanted)
        self._inbox.put((wanted, future))
        return future

    def send(self, run_id: int, message: Message, by: str) -> None:
        """Say something to a run. Raises NotFound."""
        with self._database.write() as session:
            journal.send(session, run_id, message, by)
        with self._over:
            self._ended.pop(run_id, None)
        self.look()

    def look(self) -> None:
        """Ask the database at once for runs and messages."""
        self._looked = 0.0
        self._inbox.put(None)

    @property
    def alive(self) -> bool:
        """False once it has been stopped, or has ended because of a mistake."""
        return self._thread.is_alive()

    def wait(self, run_id: int, seconds: float) -> str:
        """The state in which a run has ended or waits for a person; "" where it does neither within ``seconds``."""
        with self._over:
            self._over.wait_for(lambda: run_id in self._ended or self._stopping.is_set(), seconds)
            return self._ended.get(run_id, "")

    # -- the round ------------------------------------------------------------------------------------------------------------

    def _go(self) -> None:
        try:
            while not self._stopping.is_set():
                self._round()
            self._finish()
        except Exception:
            log.exception("the executor of playbooks ends because of a mistake; its runs are taken over when its leases end")
        finally:
            self._stopping.set()
            for _, future in self._wanted:
                future.set_exception(LiandunError("the executor has been stopped"))
            with self._over:
                self._over.notify_all()

    def _round(self) -> None:
        for item in self._came_in():
            self._take(item)
        self._fire()
        if time.monotonic() - self._looked >= self._settings.poll:
            self._look()
        self._begin()
        self._write()

    def _came_in(self) -> list[Outcome | tuple[Wanted, Future[int]] | None]:
        items = []
        try:
            items.append(self._inbox.get(timeout=self._patience()))
            while len(items) < 1_000:
                items.append(self._inbox.get_nowait())
        except queue.Empty:
            pass
        return items

    def _patience(self) -> float:
        if self._wanted or self._rows or (self._line and self._room() > 0):
            return 0.0
        patience = self._looked + self._settings.poll - time.monotonic()
        if self._timers:
            patience = min(patience, (self._timers[0][0] - now()) / 1000)
        return max(patience, 0.0)

    def _room(self) -> int:
        """How many more commands may be begun: so many as keep the workers busy through a commit, no more."""
        return self._pace.room(self._flying.values())

    def _take(self, item: Outcome | tuple[Wanted, Future[int]] | None) -> None:
        if isinstance(item, Outcome):
            task = item.task
            self._pace.came_back(task)
            self._flying.pop((task.run_id, task.call), None)
            live = self._live.get(task.run_id)
            if live is not None:
                self._happen(
                    live,
                    Ended(
                        at=now(), call=task.call, attempt=task.attempt, variables=wanted_of(task.request, item.variables),
                        code=item.code, message=item.message[:2000], again=item.again,
                    ),
                )  # fmt: skip
        elif item is not None:
            self._wanted.append(item)

    def _happen(self, live: Live, event: Event) -> None:
        """Let an event happen to a run; it is written at the end of the round."""
        try:
            live.machine.apply(event)
        except Exception as error:
            self._break(live, error)
            return
        live.events += 1
        self._rows.append((live, event, live.machine.taken_trace()))
        self._touched[live.run_id] = live
        for key in live.machine.abandoned:
            task = self._flying.get((live.run_id, key))
            if task is not None:
                task.stop.set()
        live.machine.abandoned.clear()
        self._line_up(live)

    def _line_up(self, live: Live) -> None:
        if not live.turn and live.machine.has_ready:
            live.turn = True
            self._line.append(live)
        timer = live.machine.next_timer()
        if timer is not None and timer != live.timer:
            live.timer = timer
            heapq.heappush(self._timers, (timer, live.run_id))

    def _fire(self) -> None:
        present = now()
        while self._timers and self._timers[0][0] <= present:
            at, run_id = heapq.heappop(self._timers)
            live = self._live.get(run_id)
            if live is None or live.timer != at:
                continue
            live.timer = None
            due = live.machine.next_timer()
            if due is not None and due <= present:
                self._happen(live, TimerDue(at=present))
            else:
                self._line_up(live)

    def _begin(self) -> None:
        """One command of each run in turn, while the workers have room."""
        room = self._room()
        while room > 0 and self._line:
            live = self._line.popleft()
            live.turn = False
            ready = live.machine.ready() if self._live.get(live.run_id) is live else []
            if not ready:
                continue
            call = ready[0]
            if call.by_hand:
                self._happen(live, begun(call))
            elif not self._waits(live, call):
                self._start_call(live, call)
                room -= 1

    def _waits(self, live: Live, call: Call) -> bool:
        """Whether people have to agree first; then they are asked."""
        if call.consent is not None and call.consent.granted and now() <= call.consent.until:
            return False
        try:
            need = self._gate(call)
        except Exception as error:  # nothing goes through a gate that is broken
            self._break(live, error)
            return True
        if need is None:
            return False
        present = now()
        until = present + int(need.seconds * 1000)
        self._happen(
            live,
            Asked(at=present, call=call.key, digest=call.digest, number=need.number, until=until, roles=need.roles,
                  why=" ".join(need.why)),
        )  # fmt: skip
        return True

    def _break(self, live: Live, error: Exception) -> None:
        """A mistake of ours ends this run, not all of them."""
        log.exception("run %d cannot go on", live.run_id)
        live.broken = f"PROGRAM_ERROR: {type(error).__name__}: {plain(str(error))}"
        self._touched[live.run_id] = live

    def _start_call(self, live: Live, call: Call) -> None:
        request = msgspec.structs.replace(call.request, key=f"{live.run_id}.{call.key}")
        seconds = (call.visit.step.timeout or self._settings.limits.action_ms) / 1000 + _GRACE  # the run's own timer comes first
        task = Task(live.run_id, call.key, call.attempt, request, seconds)
        self._flying[live.run_id, call.key] = task
        self._to_start.append(task)
        self._happen(live, begun(call))

    # -- writing --------------------------------------------------------------------------------------------------------------

    def _write(self) -> None:
        """Write everything of this round, then let it have effect. Waits as long as the database cannot be written."""
        if not (self._rows or self._wanted or self._taken or self._touched):
            return
        rows = [journal.event_row(live.run_id, number, event, trace) for (live, event, trace), number in self._numbered()]
        self._plans = self._planned()
        try:
            written = self._transaction(rows)
        except DBAPIError:
            self._apart()
        else:
            if written is not None:
                self._take_effect(*written)

    def _transaction(self, rows: list[dict[str, Any]]) -> _Written | None:
        """Write, again and again while the database cannot be written; None where the executor is stopped meanwhile."""
        pause = 0.05
        while True:
            try:
                with self._database.write() as session:
                    return self._written(session, rows)
            except StateUnavailable as error:
                log.warning("the journal of playbooks cannot be written, %s", error)
                if self._stopping.wait(pause):
                    return None
                pause = min(pause * 2, 5.0)

    def _numbered(self) -> list[tuple[tuple[Live, Event, list[Entry]], int]]:
        """The rows with their numbers: the last one of a run has the run's count of events."""
        left = {live.run_id: live.events for live, _, _ in self._rows}
        numbered = []
        for row in reversed(self._rows):
            numbered.append((row, left[row[0].run_id]))
            left[row[0].run_id] -= 1
        numbered.reverse()
        return numbered

    def _written(self, session: Session, rows: list[dict[str, Any]]) -> _Written:
        if rows:
            journal.append(session, rows)
        changes = [
            (live.run_id, values) for live in self._touched.values() if (values := live.changed(self._flying, self._settings.park))
        ]
        if changes:
            journal.change(session, self.name, changes)
        asked = {live.run_id: self._keep_questions(session, live) for live in self._touched.values() if live.may_ask}
        if self._taken:
            journal.take_messages(session, self._taken, clock.now())
        return self._accept(session), asked

    def _keep_questions(self, session: Session, live: Live) -> frozenset[asking.Key]:
        events = [event for one, event, _ in self._rows if one is live]
        machine = None if live.broken else live.machine
        return asking.keep(session, live.run_id, machine, live.asked, events, self._plan, self._tell_people)

    def _planned(self) -> dict[Call, Plan]:
        """What is about to be asked, with its plan: some actions take a second for it, for which nobody waits to write."""
        return {
            call: self._plan(call)
            for live in self._touched.values()
            if live.may_ask and live.asked is not None and not live.broken
            for call in live.machine.questions()
            if asking.key_of(call) not in live.asked
        }

    def _plan(self, call: Call) -> Plan:
        """What people are told that a command would do."""
        if (known := self._plans.get(call)) is not None:
            return known
        kind = self._kinds.get(call.request.command.type)
        try:
            return asking_people(call.request) if call.by_hand or kind is None else kind.plan(call.request)
        except ActionError as error:
            return Plan(f"{call.request.command.type}: {error}")
        except Exception:  # a mistake of an action must not end the executor
            log.exception("the action %s cannot tell what it would do", call.request.command.type)
            return Plan(f"{call.request.command.type}: what it would do cannot be told")

    def _accept(self, session: Session) -> _Accepted:
        """Runs that were asked for: those that find room belong to this executor at once."""
        if not self._wanted:
            return []
        room = max(0, self._settings.runs - len(self._live))
        until = clock.shift(clock.now(), self._settings.lease)
        accepted = []
        for group, owner in ((self._wanted[:room], self.name), (self._wanted[room:], "")):
            if group:
                asked = [wanted for wanted, _ in group]
                others = set(journal.asked_before(session, asked).values())  # somebody has these, or had them
                ids = journal.request_all(session, asked, owner=owner, until=until if owner else "")
                accepted += [
                    (future, wanted, run_id, bool(owner) and run_id not in others)
                    for (wanted, future), run_id in zip(group, ids, strict=True)
                ]
        return accepted

    def _take_effect(self, accepted: _Accepted, asked: Mapping[int, frozenset[asking.Key]]) -> None:
        rows, self._rows = self._rows, []
        touched, self._touched = self._touched, {}
        tasks, self._to_start = self._to_start, []
        self._taken, self._wanted = [], []
        assert self._workers is not None
        for task in tasks:
            self._workers.put(task)
        for live in touched.values():
            live.asked = asked.get(live.run_id, live.asked)
            live.state = live.machine.state
            if live.broken or live.machine.state in ENDED or live.parks(self._flying, self._settings.park):
                self._forget(live)
        self._tell(rows)
        for future, wanted, run_id, mine in accepted:
            future.set_result(run_id)
            if mine and run_id not in self._live and run_id not in self._ended:
                self._begin_run(wanted, run_id)

    def _tell(self, rows: list[tuple[Live, Event, list[Entry]]]) -> None:
        if self._listener is None:
            return
        for live, event, trace in rows:
            try:
                self._listener(live.run_id, event, trace)
            except Exception:
                log.exception("whoever listens to the runs of playbooks failed")

    def _begin_run(self, wanted: Wanted, run_id: int) -> None:
        called: tuple[Playbook, ...] = tuple(journal.playbook_of(body) for body in wanted.called)
        self._adopt(
            Claimed(run_id=run_id, playbook=journal.playbook_of(wanted.body), called=called, variables=wanted.variables, events=(),
                    state="running")
        )  # fmt: skip

    def _forget(self, live: Live) -> None:
        self._live.pop(live.run_id, None)
        with self._over:
            while len(self._ended) >= 100_000:
                self._ended.pop(next(iter(self._ended)))
            self._ended[live.run_id] = live.machine.state
            self._over.notify_all()

    def _apart(self) -> None:
        """Something of the round cannot be written: write run by run, and let go of those that cannot go on.

        Mostly another executor has taken a run over and gone on with it.
        """
        rows, touched, tasks, wanted, taken = self._numbered(), self._touched, self._to_start, self._wanted, self._taken
        self._wanted, self._taken = [], []
        for live in touched.values():
            self._rows = [row for row, _ in rows if row[0] is live]
            self._touched = {live.run_id: live}
            self._to_start = [task for task in tasks if task.run_id == live.run_id]
            mine = [journal.event_row(live.run_id, number, event, trace) for (one, event, trace), number in rows if one is live]
            self._alone(mine, lambda error, live=live: self._let_go(live, error))  # type: ignore[misc]
        self._rows, self._touched, self._to_start = [], {}, []
        for one in wanted:
            self._wanted = [one]
            self._alone([], one[1].set_exception)
        self._wanted, self._taken = [], taken

    def _alone(self, rows: list[dict[str, Any]], refused: Callable[[DBAPIError], None]) -> None:
        try:
            written = self._transaction(rows)
        except DBAPIError as error:
            refused(error)
        else:
            if written is not None:
                self._take_effect(*written)

    def _let_go(self, live: Live, error: DBAPIError) -> None:
        if isinstance(error, IntegrityError):
            log.warning("run %d has been taken over by another executor", live.run_id)
        else:
            log.error("run %d cannot be written: %s", live.run_id, error.orig)
        self._live.pop(live.run_id, None)
        begun = {id(task) for task in self._to_start}
        self._flying = {key: task for key, task in self._flying.items() if id(task) not in begun}

    # -- others ---------------------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """Ask the database: prolong our leases, take runs that nobody has, read messages."""
        self._looked = time.monotonic()
        try:
            if time.monotonic() - self._renewed >= self._settings.lease / 3:
                self._renew()
            self._claim()
            self._read_messages()
        except StateUnavailable as error:
            log.warning("the database cannot be asked for playbook runs, %s", error)

    def _renew(self) -> None:
        self._renewed = time.monotonic()
        if not self._live:
            return
        with self._database.write() as session:
            until = clock.shift(clock.now(), self._settings.lease)
            mine = journal.renew(session, self.name, until, list(self._live))
        written = {live.run_id for live, _, _ in self._rows}
        for run_id in [run_id for run_id in self._live if run_id not in mine and run_id not in written]:
            log.warning("run %d has been taken over by another executor", run_id)
            del self._live[run_id]

    def _claim(self) -> None:
        room = self._settings.runs - len(self._live)
        if room <= 0:
            return
        present = clock.now()
        with self._database.read() as session:
            if not journal.anything_to_claim(session, present):
                return
        with self._database.write() as session:
            until = clock.shift(present, self._settings.lease)
            found = journal.claim(session, self.name, until, present, min(room, 64))
        for claimed in found:
            self._adopt(claimed)
        if len(found) == 64:
            self._looked = 0.0  # there may be more

    def _adopt(self, claimed: Claimed) -> None:
        with self._over:
            self._ended.pop(claimed.run_id, None)
        machine = Machine(claimed.playbook, journal.library_of(claimed.called), self._settings.limits)
        live = Live(claimed, machine)
        self._live[claimed.run_id] = live
        try:
            replay(machine, iter(claimed.events))
        except Exception as error:
            log.exception("run %d cannot be read back from its journal", claimed.run_id)
            live.broken = f"PROGRAM_ERROR: the journal cannot be read back: {plain(str(error))}"
        machine.abandoned.clear()
        self._touched[live.run_id] = live  # what waited is running again, or is given back
        if live.broken:
            return
        if not claimed.events:
            self._happen(live, Started(at=now(), variables=claimed.variables))
            return
        if claimed.crashed:
            self._happen(live, Resumed(at=now(), executor=self.name))
        due = machine.next_timer()
        if due is not None and due <= now():
            self._happen(live, TimerDue(at=now()))
        self._line_up(live)

    def _read_messages(self) -> None:
        if not self._live:
            return
        with self._database.read() as session:
            found = journal.messages_for(session, list(self._live))
        taken = set(self._taken)
        for message_id, run_id, message, by in found:
            live = self._live.get(run_id)
            if live is None or message_id in taken:
                continue
            self._taken.append(message_id)
            event = event_of(live.machine, message, by)
            if event is not None:
                self._happen(live, event)

    # -- the end --------------------------------------------------------------------------------------------------------------

    def _finish(self) -> None:
        """Write down what the workers still end, and give every run back."""
        assert self._workers is not None
        self._workers.stop(10.0)
        self._line.clear()
        try:
            while True:
                self._take(self._inbox.get_nowait())
        except queue.Empty:
            pass
        self._write()
        if self._live:
            with self._database.write() as session:
                journal.release(session, self.name)
