"""What an action gets and gives.

An action is handed a Request in which every variable has been replaced, and says what came of it as texts by name. It holds no
state of a run, writes no journal and asks nobody: that is the executor's part. It may be called from several threads at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol, TypeAlias

import msgspec

from kernel.errors import LiandunError
from playbooks.extension import NONE, Options
from playbooks.model import Authentication, Command, Party
from playbooks.variables import Value


class Failure(msgspec.Struct, frozen=True):
    """Why a step failed. ``code`` is one word (ACTION_TIMEOUT, ACTION_FAILED, …), ``step`` the id of the step that failed."""

    code: str
    step: str
    message: str


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """One command for one target, ready to be carried out.

    key       the same for every attempt at this command in this run, and for no other: it may serve as an idempotency key.
              An executor begins it with the number of the run and a dot; our own actions do nothing for a key that was done
    cause     why the workflow came here, where a failed step led to this one
    out_args  names whose values are wanted; others are dropped
    """

    key: str
    step_id: str
    step_name: str = ""
    command: Command
    agent_id: str = ""
    agent: Party | None = None
    target_id: str = ""
    target: Party | None = None
    authentication: Authentication | None = None
    out_args: tuple[str, ...] = ()
    options: Options = NONE
    cause: Failure | None = None


class Plan(msgspec.Struct, frozen=True):
    """What carrying a request out would do: one line for people, and what it would touch (addresses, accounts, files)."""

    line: str
    touches: tuple[str, ...] = ()


class Destination(NamedTuple):
    """A server as it is about to be connected to: name or address, and port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


Secrets: TypeAlias = "Callable[[str, Sequence[Destination] | None], str]"
"""The secret of a ``kms_key_identifier`` for servers that a playbook, or who started it, names: it is meant for each of them.

None instead of servers: the configuration, and no playbook, says where it goes. Raises ActionError: SECRET_MISSING,
SECRET_NOT_FOR_HOST (then it was not opened), SECRET_UNREADABLE.
"""


def no_secrets(identifier: str, places: Sequence[Destination] | None) -> str:
    """Where there is no secret store."""
    raise ActionError(f"there is no secret store to take {identifier!r} from")


class Context:
    """What surrounds one attempt: until when it may last, whether it was called off, and the secret store."""

    def __init__(self, deadline: float, secrets: Secrets = no_secrets, stop: threading.Event | None = None) -> None:
        """``deadline``: of time.monotonic()."""
        self.deadline = deadline
        self.secrets = secrets
        self.stop = stop or threading.Event()

    def left(self) -> float:
        """Seconds that are left. Raises ActionError(ACTION_TIMEOUT) where there are none, or ACTION_CANCELLED."""
        if self.stop.is_set():
            raise ActionError("it was called off", code="ACTION_CANCELLED")
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise ActionError("it took too long", code="ACTION_TIMEOUT")
        return left


class ActionError(LiandunError):
    """A command failed. ``again`` says that another attempt may succeed (retries look at it)."""

    def __init__(self, message: str, hint: str = "", *, code: str = "ACTION_FAILED", again: bool = False) -> None:
        super().__init__(message, hint)
        self.code = code
        self.again = again


class ActionKind(Protocol):
    """One kind of command."""

    def plan(self, request: Request) -> Plan:
        """What it would do, without doing or asking anything. Raises ActionError where the request cannot be carried out."""

    def run(self, request: Request, context: Context) -> Mapping[str, Value]:
        """Do it. Returns values for ``out_args``. Raises ActionError; may last until ``context.deadline``, not longer."""
