"""The threads that carry commands out. They know no run and no journal: a task goes in, how it ended comes out."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping

import msgspec

from playbooks.actions.contract import ActionError, ActionKind, Context, Request, Secrets, no_secrets
from playbooks.variables import Value

log = logging.getLogger(__name__)


class Task:
    """One attempt at a command. ``seconds``: how long it may last; ``began``: of time.monotonic(), 0 until a worker has it."""

    __slots__ = ("attempt", "began", "call", "request", "run_id", "seconds", "stop")

    def __init__(self, run_id: int, call: str, attempt: int, request: Request, seconds: float) -> None:
        self.run_id = run_id
        self.call = call
        self.attempt = attempt
        self.request = request
        self.seconds = seconds
        self.began = 0.0
        self.stop = threading.Event()


class Outcome(msgspec.Struct, frozen=True):
    """How a task ended; ``code`` "" is success."""

    task: Task
    variables: Mapping[str, Value] = {}
    code: str = ""
    message: str = ""
    again: bool = False


class Workers:
    """A fixed number of threads behind one queue. ``done`` is called in the worker's thread."""

    def __init__(
        self, number: int, kinds: Mapping[str, ActionKind], done: Callable[[Outcome], None], secrets: Secrets = no_secrets
    ) -> None:
        self._tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._kinds = kinds
        self._done = done
        self._secrets = secrets
        self._threads = [threading.Thread(target=self._work, name=f"playbook-{place}", daemon=True) for place in range(number)]
        for thread in self._threads:
            thread.start()

    def put(self, task: Task) -> None:
        """Have ``task`` carried out by the next free thread."""
        self._tasks.put(task)

    def stop(self, patience: float) -> None:
        """End the threads; those that are in the middle of something get ``patience`` seconds all together."""
        for _ in self._threads:
            self._tasks.put(None)
        end = time.monotonic() + patience
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            task.began = time.monotonic()
            self._done(self._outcome(task))

    def _outcome(self, task: Task) -> Outcome:
        kind = self._kinds.get(task.request.command.type)
        if kind is None:
            message = f"commands of the kind {task.request.command.type} cannot be carried out here"
            return Outcome(task, code="COMMAND_UNKNOWN", message=message)
        try:
            context = Context(task.began + task.seconds, self._secrets, task.stop)
            context.left()
            return Outcome(task, variables=kind.run(task.request, context))
        except ActionError as error:
            return Outcome(task, code=error.code, message=str(error), again=error.again)
        except Exception as error:  # a mistake of an action must not take the worker, and so every run, with it
            log.exception("the action %s failed unexpectedly", task.request.command.type)
            return Outcome(task, code="ACTION_BROKEN", message=f"{type(error).__name__}: {error}")
