"""What our own actions have in common: one transaction of the state database, as the actor ``playbook:<run>``, once for each key.

Terms. An attempt either happens as a whole, its trace in the audit trail included, or not at all. The trail remembers each request
by its key with what it gave back: the same request again, whether it is a retry or comes after a crash, does nothing and gives the
same values. So a step of these commands may say ``idempotent: true``. Commands that are none of ours for this database (another
journal with the same numbers of runs) must not be sent here.

They see the whole city: who may start a playbook decides what it may touch.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, ClassVar, Generic, TypeVar

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from kernel.db import Database
from kernel.errors import StoreError
from operations.accounts.schema import Principal
from operations.audit import service as audit
from operations.audit.models import AuditEntry
from operations.errors import Conflict, Denied, Invalid, NotFound
from playbooks.actions.contract import ActionError, Context, Plan, Request
from playbooks.actions.parameter_base import Parameters
from playbooks.actions.parameters import read_parameters
from playbooks.run.models import PlaybookRun
from playbooks.variables import Value

ACT, OBJECT = "playbook.act", "playbook_call"
_CODES: dict[type[Exception], str] = {NotFound: "NOT_FOUND", Conflict: "CONFLICT", Denied: "DENIED", Invalid: "INVALID"}
_P = TypeVar("_P", bound=Parameters)


class OwnCommand(ABC, Generic[_P]):
    """One kind of command; those that inherit say what it would do, and do it ``once``."""

    kind: ClassVar[str]

    def __init__(self, database: Database | None) -> None:
        """Without a database it only says what it would do."""
        self._database = database

    @abstractmethod
    def told(self, given: _P) -> Plan:
        """What it would do."""

    def plan(self, request: Request) -> Plan:
        """What it would do. Raises ActionError."""
        return self.told(self.given(request))

    def once(self, request: Request, context: Context, act: Callable[[Session, Principal], dict[str, str]]) -> Mapping[str, Value]:
        """Do it in one transaction, unless this very request was done before.

        act  does it and returns values by the names of parameters.TERMS; raises what the services raise

        Raises ActionError; only a database that is away is worth a retry.
        """
        context.left()
        if self._database is None:
            raise inside_only()
        with _told_plainly():
            return outputs(request, self._once(self._database, request, act))

    def before(self, request: Request, possible: Callable[[Session], object]) -> Mapping[str, Value] | None:
        """For acts that ask another system first: what this very request gave when it was done, None where it has to be done.

        possible  looks whether it can be done at all; raises what the services raise

        Raises ActionError.
        """
        if self._database is None:
            raise inside_only()
        with _told_plainly(), self._database.read() as session:
            found = _done_before(session, request)
            if found is None:
                possible(session)
        return None if found is None else outputs(request, found)

    def _once(self, database: Database, request: Request, act: Callable[[Session, Principal], dict[str, str]]) -> Mapping[str, str]:
        try:
            with database.write() as session:
                found = _done_before(session, request)
                if found is None:
                    who = actor_of(request)
                    found = act(session, who)
                    detail = {
                        "command": self.kind, "step": request.step_id, "name": request.step_name[:200],
                        "digest": digest_of(request), "gave": found,
                    }  # fmt: skip
                    number = audit.append(session, who.actor, ACT, OBJECT, request.key, detail=detail)
                    if (first := _done_before(session, request, number)) is not None:
                        raise _Twice(first)
        except _Twice as twice:
            found = twice.gave
        return found

    def given(self, request: Request) -> _P:
        """The parameters of the command. Raises ActionError(COMMAND_WRONG)."""
        try:
            return read_parameters(self.kind, request.command.more)  # type: ignore[return-value]
        except ValueError as error:
            raise ActionError(f"the parameters of {self.kind} are wrong: {error}", code="COMMAND_WRONG") from error


class OwnAction(OwnCommand[_P]):
    """A command that is nothing but its transaction."""

    @abstractmethod
    def act(self, session: Session, who: Principal, given: _P) -> dict[str, str]:
        """Do it and return values by the names of parameters.TERMS. Raises what the services raise."""

    def run(self, request: Request, context: Context) -> Mapping[str, Value]:
        """Do it, unless this very request was done before. Raises ActionError."""
        given = self.given(request)
        return self.once(request, context, lambda session, who: self.act(session, who, given))


@contextmanager
def _told_plainly() -> Iterator[None]:
    """What the services and the database raise, as what an action raises."""
    try:
        yield
    except StoreError as error:
        raise ActionError(str(error), code="STATE_UNAVAILABLE", again=True) from error
    except (NotFound, Conflict, Denied, Invalid) as error:
        code = next(code for kind, code in _CODES.items() if isinstance(error, kind))
        field = f"{error.field}: " if isinstance(error, Invalid) and error.field else ""
        raise ActionError(f"{field}{error}", code=code) from error


def inside_only() -> ActionError:
    """Where there is no state database."""
    return ActionError("this is done inside of the platform only", "run the playbook there")


def actor_of(request: Request) -> Principal:
    """Who acts: the run, which the key of a request begins with."""
    return Principal(0, f"playbook:{request.key.partition('.')[0]}", "", "responder")


def outputs(request: Request, found: Mapping[str, str]) -> dict[str, Value]:
    """Values for out_args: by the pointer of our extension (``/ticket_id``), or a variable of the same name (``__ticket_id__``)."""
    wanted = {name: request.options.outputs.get(name, "").removeprefix("/") or name.strip("_") for name in request.out_args}
    return {name: found[source] for name, source in wanted.items() if source in found}


def cut(text: str, most: int) -> str:
    """A title that values have made too long: an act does not fail for that."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def digest_of(request: Request) -> str:
    """Names the command with its values in the audit trail: SHA-256, hexadecimal."""
    return hashlib.sha256(msgspec.json.encode(request.command)).hexdigest()


class _Twice(Exception):
    """Two attempts at one request met, in a database with more than one writer: this one is rolled back, the first one counts.

    Writing the trail puts them one after the other. A lock before the act would do so, too, but in another order than the
    services take theirs, who would then wait for one another for ever.
    """

    def __init__(self, gave: dict[str, str]) -> None:
        self.gave = gave


def _done_before(session: Session, request: Request, number: int | None = None) -> dict[str, str] | None:
    """What this request gave back when it was done (before the entry ``number``), None where it was not."""
    query = select(AuditEntry.detail).where(AuditEntry.object_type == OBJECT, AuditEntry.object_id == request.key)
    run = request.key.partition(".")[0]
    if run.isascii() and run.isdecimal():  # SQLite gives the number of a run again when the newest was pruned
        began = session.execute(select(PlaybookRun.created_at).where(PlaybookRun.id == int(run))).scalar()
        query = query.where(AuditEntry.time >= (began or ""))
    if number is not None:
        query = query.where(AuditEntry.id < number)
    for text in session.execute(query.order_by(AuditEntry.id.desc()).limit(20)).scalars():
        detail: dict[str, Any] = msgspec.json.decode(text)
        if detail.get("digest") == digest_of(request) and "gave" in detail:
            return dict(detail["gave"])
    return None
