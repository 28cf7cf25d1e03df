"""From what comes in (messages of people, outcomes of commands) to events of the journal, with the moment of now."""

from __future__ import annotations

import time
from collections.abc import Mapping

from operations import clock
from playbooks.actions.contract import Request
from playbooks.run.events import Approved, Begun, Cancelled, Decided, Ended, Event, Settled, UndoAsked
from playbooks.run.machine import ENDED, Machine
from playbooks.run.messages import Answer, Approve, Cancel, Decide, Message, Settle, Undo
from playbooks.run.state import Call
from playbooks.variables import Value


def now() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def moment(milliseconds: int) -> str:
    """The same as @timestamp text."""
    return clock.shift("1970-01-01T00:00:00.000000Z", milliseconds / 1000)


def plain(text: str) -> str:
    """Text of others, fit for a row."""
    return text.replace("\0", "")[:4000]


def asked_line(machine: Machine) -> str:
    """What a person is asked, for lists."""
    if machine.state != "waiting":
        return ""
    return plain("; ".join(call.visit.step.name or call.visit.step_id for call in machine.questions()))


def begun(call: Call) -> Begun:
    """The event that stands in the journal before a command begins."""
    request = call.request
    target = request.target.name if request.target and request.target.name else request.target_id
    line = f"{request.command.type} {request.command.command[:400]}" + (f" → {target[:80]}" if target else "")
    return Begun(at=now(), call=call.key, attempt=call.attempt, digest=call.digest, line=line)


def wanted_of(request: Request, variables: Mapping[str, Value]) -> dict[str, Value]:
    """Only what the step wants back goes into the journal."""
    return {name: value for name, value in variables.items() if name in request.out_args}


def event_of(machine: Machine, message: Message, by: str) -> Event | None:
    """What a message makes happen; None where it comes too late or makes no sense any more."""
    present = now()
    asked = {call.key: call for call in machine.questions()}
    match message:
        case Answer(call=key) if key in asked and asked[key].by_hand and asked[key].phase == "begun":
            return Ended(
                at=present, call=key, attempt=asked[key].attempt, variables=message.variables, by=by,
                code="" if message.done else "ACTION_FAILED", message=message.comment,
            )  # fmt: skip
        case Approve(call=key) if key in asked and asked[key].phase == "approval":
            return Approved(at=present, call=key, digest=message.digest, by=by, yes=message.yes, comment=message.comment)
        case Decide(call=key) if key in asked and asked[key].phase == "unknown":
            return Decided(at=present, call=key, choice=message.choice, variables=message.variables, by=by, comment=message.comment)
        case Cancel() if machine.state not in ENDED:
            return Cancelled(at=present, by=by, reason=message.reason)
        case Undo() if machine.state in ENDED:
            return UndoAsked(at=present, by=by)
        case Settle(visit=visit) if machine.state in ENDED and machine.taking_back.is_left(visit):
            return Settled(at=present, visit=visit, by=by, comment=message.comment)
    return None
