"""Starting a run of the version in force: with which values, which other playbooks it takes along, and who wanted it.

A run keeps the documents that were in force when it was started. What is released afterwards changes no run that has begun.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from operations.accounts.schema import Principal
from operations.audit import service as audit
from operations.errors import Conflict, Invalid, NotFound
from playbooks.check.needed import relied_on
from playbooks.model import Playbook
from playbooks.rights import RUN, need
from playbooks.run import journal
from playbooks.run.models import PlaybookRun
from playbooks.shelf import rows
from playbooks.shelf.known import called_bodies, calls_of
from playbooks.shelf.prefill import KINDS, facts_of
from playbooks.shelf.reading import document
from playbooks.timestamps import read_timestamp
from playbooks.variables import Value, VariableError, opening

MAX_VALUES = 256 * 1024
"""Octets of all values together, as JSON."""
_SHOWN = 200
_OT = "__ot__"


def start(
    session: Session,
    who: Principal,
    playbook_id: str,
    variables: Mapping[str, Value],
    cause: Mapping[str, Any],
    request_key: str = "",
) -> int:
    """Ask for a run, in the caller's transaction, and return its id; some executor takes it up.

    variables    values of external variables by their names; None = not known
    cause        what it was started for: ``{"kind": "alert", "id": 7}``; people read it, and lists find runs by it
    request_key  asked again with the same key it is the same run; "" = none

    Raises Denied, NotFound; Conflict where the playbook, or one that it calls, is not in force, switched off, revoked or not valid
    now; Invalid, whose ``field`` is the variable, for a value that it does not take, or one that it lacks and cannot do without.
    """
    need(who, RUN)
    before = _asked_before(session, request_key)
    if before is not None:
        return before
    row = rows.found(session, playbook_id)
    if not row.enabled or row.released is None:
        state = "has no version in force" if row.enabled else "is switched off"
        raise Conflict(f"the playbook {row.name!r} {state}", "somebody who may release playbooks can change that")
    body = document(session, playbook_id, row.released)
    playbook = journal.playbook_of(body)
    called = _called(session, playbook)
    others = {key: journal.playbook_of(body) for key, body in called.items()}
    for one in (playbook, *others.values()):
        _refuse_invalid(one, _now())
    check_values(playbook, variables)
    _refuse_lacking(playbook, others, variables)
    variables = _never_less(session, playbook, variables, cause)
    wanted = journal.Wanted(
        body=body,
        called=tuple(called.values()),
        variables=dict(variables),
        by=who.actor.name,
        cause=dict(cause),
        request_key=request_key,
    )
    run_id = journal.request(session, wanted)
    detail = {
        "playbook": playbook_id, "name": row.name, "number": row.released, "cause": dict(cause), "variables": _shown(variables),
    }  # fmt: skip
    audit.append(session, who.actor, "playbook.start", "playbook_run", run_id, detail=detail)
    return run_id


def _never_less(
    session: Session, playbook: Playbook, variables: Mapping[str, Value], cause: Mapping[str, Any]
) -> Mapping[str, Value]:
    """Whoever starts a playbook about something in an industrial control zone cannot say that it lies elsewhere."""
    kind, number = str(cause.get("kind", "")), str(cause.get("id", ""))
    declared = playbook.playbook_variables.get(_OT)
    if declared is None or not declared.external or kind not in KINDS or not number:
        return variables
    try:
        plant = facts_of(session, kind, number).get(_OT) == "true"
    except (NotFound, Invalid):
        plant = True  # it cannot be looked at any more
    return {**variables, _OT: "true"} if plant else variables


def check_values(playbook: Playbook, variables: Mapping[str, Value]) -> None:
    """Raises Invalid where a value is none that ``playbook`` takes from outside."""
    if len(msgspec.json.encode(variables)) > MAX_VALUES:
        raise Invalid(f"the values have more than {MAX_VALUES // 1024} KiB together", field="variables")
    for name, value in variables.items():
        try:
            opening(playbook, {name: value})
        except VariableError as error:
            raise Invalid(error.message, error.hint, field=name[:250]) from error


def _refuse_lacking(playbook: Playbook, others: Mapping[str, Playbook], variables: Mapping[str, Value]) -> None:
    """Better no run than one that fails when it acts."""
    for name in sorted(relied_on(playbook, others)):
        if variables.get(name, playbook.playbook_variables[name].value) is None:
            raise Invalid(f"the playbook {playbook.name!r} cannot do without {name}", "give it a value", field=name[:250])


def _asked_before(session: Session, request_key: str) -> int | None:
    """The run of this key. Who asks with the same key at the same moment waits here for the other's transaction."""
    if not request_key:
        return None
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(request_key, 0))))
    return session.execute(select(PlaybookRun.id).where(PlaybookRun.request_key == request_key)).scalar_one_or_none()


def _called(session: Session, playbook: Playbook) -> dict[str, bytes]:
    """Documents in force of all that a run may come to. Raises Conflict where one is missing."""
    found = called_bodies(session, playbook, in_force=True)
    for one in (playbook, *map(journal.playbook_of, found.values())):
        missing = next((call for call in calls_of(one) if call not in found and call != playbook.id), None)
        if missing is not None:
            raise Conflict(f"{one.name!r} runs the playbook {missing[:160]}, which is not in force", "release it, or switch it on")
    return found


def _now() -> datetime:
    return datetime.now(UTC)


def _refuse_invalid(playbook: Playbook, now: datetime) -> None:
    """A version in force was right when it was released; it may have run out since."""
    if playbook.revoked:
        raise Conflict(f"the playbook {playbook.name!r} is revoked by its maker", "release its successor")
    if playbook.valid_until and read_timestamp(playbook.valid_until) <= now:
        raise Conflict(f"the playbook {playbook.name!r} was valid until {playbook.valid_until}", "review it and extend valid_until")
    if playbook.valid_from and read_timestamp(playbook.valid_from) > now:
        raise Conflict(f"the playbook {playbook.name!r} is not valid before {playbook.valid_from}", "wait until then")


def _shown(variables: Mapping[str, Value]) -> dict[str, Value]:
    """Values for the trail: they stand in the journal in full."""
    return {name: value[:_SHOWN] if isinstance(value, str) else value for name, value in variables.items()}
