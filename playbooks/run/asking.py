"""The questions of a run as rows: what the machine asks of people is kept where pages can list it, in step with the journal.

The executor calls ``keep`` in the transaction that writes the events, so a question is there exactly while the machine asks it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from operations import clock
from playbooks.actions.contract import Plan
from playbooks.run.asked_words import asked_words
from playbooks.run.events import Approved, Decided, Due, Ended, Event
from playbooks.run.machine import Machine
from playbooks.run.models import PlaybookQuestion
from playbooks.run.state import Call

Key: TypeAlias = tuple[str, int, str]
"""Call, attempt, kind."""
Planner: TypeAlias = Callable[[Call], Plan]
"""What carrying a call out would do."""
Tell: TypeAlias = Callable[[Session, Sequence[Mapping[str, Any]]], None]
"""Told of new questions (rows with their ids), in the transaction that asks them: who is told is told of what is asked, once."""
UNDO_BY = "undo_by"
"""Stands beside the request in its JSON: who asked for the undo that the question belongs to."""
WORDS = "words"
"""Stand there, too: what the question says by language (asked_words)."""
KNOWN = "known"
"""Stand there, too: variables from outside that an answer may set right, with what was told for them, None for nothing."""
_SECRET = ("password", "oauth_header", "token")


def tell_nobody(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Where people look for themselves."""


def keep(
    session: Session,
    run_id: int,
    machine: Machine | None,
    known: frozenset[Key] | None,
    events: Sequence[Event],
    plan: Planner,
    tell: Tell = tell_nobody,
) -> frozenset[Key]:
    """Write what is asked anew and close what is asked no longer; returns what is open now.

    machine None: the run cannot go on, nothing is asked any more
    known   what was open after the last call; None where nobody knows: the rows are asked
    events  what has happened to the run since
    """
    asked = {key_of(call): call for call in machine.questions()} if machine is not None else {}
    if known is None:
        known = _open(session, run_id)
    for key in known - asked.keys():
        _close(session, run_id, key, _outcome(key, events))
    rows = [_row(run_id, machine, call, plan) for key, call in asked.items() if machine is not None and key not in known]
    if rows:
        statement = insert(PlaybookQuestion).returning(PlaybookQuestion.id, sort_by_parameter_order=True)
        numbers = session.execute(statement, rows).scalars()
        tell(session, [{**row, "id": number} for row, number in zip(rows, numbers, strict=True)])
    return frozenset(asked)


def close_all(session: Session, run_id: int) -> None:
    """The run has ended without its machine."""
    for key in _open(session, run_id):
        _close(session, run_id, key, "gone")


def key_of(call: Call) -> Key:
    """Names the question of a call that asks."""
    return call.key, call.attempt, _kind(call)


def _kind(call: Call) -> str:
    return call.phase if call.phase in ("approval", "unknown") else "manual"


def _open(session: Session, run_id: int) -> frozenset[Key]:
    columns = PlaybookQuestion.call, PlaybookQuestion.attempt, PlaybookQuestion.kind
    query = select(*columns).where(PlaybookQuestion.run_id == run_id, PlaybookQuestion.closed_at.is_(None))
    return frozenset((call, attempt, kind) for call, attempt, kind in session.execute(query))


def _close(session: Session, run_id: int, key: Key, outcome: str) -> None:
    call, attempt, kind = key
    session.execute(
        update(PlaybookQuestion)
        .where(
            PlaybookQuestion.run_id == run_id,
            PlaybookQuestion.call == call,
            PlaybookQuestion.attempt == attempt,
            PlaybookQuestion.kind == kind,
            PlaybookQuestion.closed_at.is_(None),
        )
        .values(closed_at=clock.now(), outcome=outcome)
    )


def _outcome(key: Key, events: Sequence[Event]) -> str:
    """What closed the question, by the events since it was open."""
    call, _, kind = key
    for event in reversed(events):
        match event:
            case Approved() if kind == "approval" and event.call == call:
                return "approved" if event.yes else "refused"
            case Ended() if kind == "manual" and event.call == call:
                return "failed" if event.code else "done"
            case Decided() if kind == "unknown" and event.call == call:
                return "decided"
    return "expired" if any(isinstance(event, Due) for event in events) else "gone"


def _row(run_id: int, machine: Machine, call: Call, plan: Planner) -> dict[str, Any]:
    consent, wish = call.consent, call.request.options.approval
    roles = consent.roles if consent is not None else wish.roles if wish is not None else ()
    told = plan(call)
    until = consent.until if consent is not None else machine.deadline(call)
    kind = _kind(call)
    return {
        "run_id": run_id,
        "call": call.key,
        "attempt": call.attempt,
        "kind": kind,
        "title": (call.visit.step.name or call.visit.step_id)[:512],
        "line": told.line[:8000],
        "request": _text({**_shown(call), UNDO_BY: machine.taking_back.by, WORDS: asked_words(call), KNOWN: _known(call)}),
        "digest": call.digest,
        "out_args": _text({name: call.visit.scope[name].type for name in call.request.out_args if name in call.visit.scope}),
        "roles": _text(roles),
        "number": consent.number if consent is not None and kind == "approval" else 1,
        "own": (kind == "unknown" and consent is None) or (kind == "manual" and wish is None),
        "why": _text(consent.why.split()) if consent is not None else "[]",
        "touches": _text(told.touches[:100]),
        "asked_at": clock.now(),
        "expires_at": clock.shift("1970-01-01T00:00:00.000000Z", until / 1000) if until is not None else None,
        "closed_at": None,
        "outcome": "",
        "answers": "[]",
    }


def _known(call: Call) -> dict[str, str | None]:
    given = {name: call.visit.scope[name] for name in call.request.out_args if name in call.visit.scope}
    return {name: one.value if isinstance(one.value, str) else None for name, one in given.items() if one.external}


def _shown(call: Call) -> Any:
    """The request as people see it: a login that holds a secret in plain (which the check refuses) shows none of it."""
    request = call.request
    login = request.authentication
    if login is not None:
        hidden = {name: "•••" for name in _SECRET if getattr(login, name)}
        request = msgspec.structs.replace(request, authentication=msgspec.structs.replace(login, **hidden))
    return msgspec.to_builtins(request)


def _text(value: Any) -> str:
    return msgspec.json.encode(value).decode()
